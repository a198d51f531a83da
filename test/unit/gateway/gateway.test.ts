import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import type { ConnectionLimits } from '../../../src/gateway/connections.ts';
import { refusedCommands } from '../../../src/gateway/refused-commands.ts';
import { pollUntil } from '../../../src/lib/retry.ts';
import {
  DataKeyEntity,
  KeyBindingEntity,
  type KeyPermission,
} from '../../../src/store/entities/data-key.ts';
import { InstanceEntity } from '../../../src/store/entities/instance.ts';
import { type RedisContainer, startRedisContainer } from '../../support/redis-container.ts';
import { addInstance, type Bound, call, type Harness, post, startHarness } from './harness.ts';

let redis: RedisContainer;
test.before(async () => {
  redis = await startRedisContainer();
});
test.after.always(async () => await redis?.remove());

/** Takes some hundred milliseconds. */
const slowScript = 'local t = 0 for i = 1, 3e7 do t = t + i end return 1';

interface World extends Harness, Bound {}

/** A harness with an instance of the real Redis and a key that is signed up there. */
async function start(
  t: ExecutionContext,
  options: { limits?: Partial<ConnectionLimits>; permissions?: KeyPermission[] } = {},
): Promise<World> {
  const harness = await startHarness(t, options.limits);
  const bound = await addInstance(harness, {
    port: redis.port,
    permissions: options.permissions ?? ['read', 'write'],
  });
  await signUp(bound);
  return { ...harness, ...bound };
}

async function signUp({ key }: Bound): Promise<void> {
  const { id: name, secretHash: passwordHash, permissions } = key;
  await redis.setUser({ name, passwordHash, permissions });
}

async function listConnectionIds({ key }: Bound): Promise<string[]> {
  const clients = String(await redis.admin.call('CLIENT', 'LIST')).split('\n');
  const own = clients.filter((line) => line.includes(`user=${key.id} `));
  return own.map((line) => line.split(' ')[0] ?? '');
}

async function countConnections(bound: Bound): Promise<number> {
  return (await listConnectionIds(bound)).length;
}

test.serial('every call of the reference gets its documented answer', async (t) => {
  const world = await start(t);
  const { instanceId: i } = world;
  const gets: [string, unknown][] = [
    ['/ping', 'PONG'],
    [`/set/${i}:k/myvalue`, 'OK'],
    [`/get/${i}:k`, 'myvalue'],
    [`/del/${i}:k`, 1],
    [`/get/${i}:k`, null],
    [`/incr/${i}:counter`, 1],
    [`/hset/${i}:user:1/name/john`, 1],
    [`/hget/${i}:user:1/name`, 'john'],
    [`/lpush/${i}:list/item1`, 1],
    [`/lpop/${i}:list`, 'item1'],
  ];
  for (const [path, result] of gets) {
    const answer = await call(world, world, path);
    t.deepEqual([answer.status, answer.json], [200, { result }], path);
  }
  const posts: [unknown[], unknown][] = [
    [['SETEX', `${i}:session`, '3600', 'user_data'], 'OK'],
    [['TTL', `${i}:session`], 3600],
    [
      ['MGET', `${i}:session`, `${i}:none`],
      ['user_data', null],
    ],
    [['HGETALL', `${i}:user:1`], { name: 'john' }],
    [['HGETALL', `${i}:none`], {}],
    [['RPUSH', `${i}:l`, 'a', 'b', 3], 3],
    [
      ['LRANGE', `${i}:l`, 0, -1],
      ['a', 'b', '3'],
    ],
    [['SADD', `${i}:s`, 'member1'], 1],
    [['SISMEMBER', `${i}:s`, 'member1'], 1],
    [['SMEMBERS', `${i}:s`], ['member1']],
    [['EXISTS', `${i}:s`], 1],
    [['APPEND', `${i}:session`, '!'], 10],
    [['STRLEN', `${i}:session`], 10],
    [['DECR', `${i}:counter`], 0],
    [['EXPIRE', `${i}:s`, 100], 1],
    [['HEXISTS', `${i}:user:1`, 'name'], 1],
    [['HKEYS', `${i}:user:1`], ['name']],
    [['HVALS', `${i}:user:1`], ['john']],
    [['LLEN', `${i}:l`], 3],
    [['ZADD', `${i}:z`, 1.5, 'a', 'inf', 'b'], 2],
    [['ZSCORE', `${i}:z`, 'a'], 1.5],
    [
      ['ZRANGE', `${i}:z`, 0, -1, 'WITHSCORES'],
      [
        ['a', 1.5],
        ['b', 'inf'],
      ],
    ],
    [['SET', `${i}:big`, 9007199254740992], 'OK'],
    [['INCR', `${i}:big`], '9007199254740993'],
    [['SET', `${i}:big`, '9007199254740944'], 'OK'],
    [['INCR', `${i}:big`], 9007199254740945],
    [
      ['EVAL', 'redis.setresp(3) return {true, {double=3.25}, {map={a=1}}}', 0],
      [true, 3.25, { a: 1 }],
    ],
    [['SCRIPT', 'EXISTS', 'x'], [0]],
  ];
  for (const [command, result] of posts) {
    const answer = await post(world, world, command);
    t.deepEqual([answer.status, answer.json], [200, { result }], command.join(' '));
  }
  const server = (await post(world, world, ['INFO', 'server'])).json.result;
  t.true(server.startsWith('# Server\r\nredis_version:7.'), server.slice(0, 40));
});

test.serial('a body, a query and HEAD work with a command in the path', async (t) => {
  const world = await start(t);
  const value = Buffer.from([0xff, 0x00, 0x0d, 0x0a]);
  const set = await call(world, world, '/set/body?EX=100', { method: 'POST', body: value });
  t.deepEqual(set.json, { result: 'OK' });
  t.deepEqual(await redis.admin.getBuffer('body'), value);
  t.true((await redis.admin.ttl('body')) > 90);
  t.deepEqual((await call(world, world, '/set/put', { method: 'PUT', body: 'x' })).json, {
    result: 'OK',
  });
  t.deepEqual((await call(world, world, '/get/put', { method: 'POST' })).json, { result: 'x' });
  const head = await call(world, world, '/set/head/1', { method: 'HEAD' });
  t.deepEqual([head.status, head.text], [200, '']);
  t.is(await redis.admin.get('head'), '1');
  const token = await fetch(
    `${world.baseUrl}/redis/${world.instanceId}/get/put?_token=${world.secret}`,
  );
  t.deepEqual(await token.json(), { result: 'x' });
});

test.serial('every kind of string comes back as it was sent', async (t) => {
  const world = await start(t);
  const values = [
    '',
    ' ',
    '\0\r\n\t',
    '"\\',
    '😀',
    '/%2F?&#+',
    'é'.repeat(100),
    'x'.repeat(2 ** 20),
  ];
  for (const value of values) {
    t.deepEqual((await post(world, world, ['SET', 'k', value])).json, { result: 'OK' });
    t.deepEqual((await call(world, world, '/get/k')).json, { result: value });
    t.deepEqual((await post(world, world, ['ECHO', value])).json, { result: value });
    if (value.length > 1000) continue;
    const path = `/echo/${encodeURIComponent(value)}`;
    t.deepEqual((await call(world, world, path)).json, { result: value });
  }
});

test.serial('concurrent requests of several keys get their own replies', async (t) => {
  const world = await start(t);
  const second = await addInstance(world, { port: redis.port });
  await signUp(second);
  const tasks = Array.from({ length: 2_000 }, async (_, index) => {
    const bound = index % 2 === 0 ? world : second;
    const nonce = `${index}`.repeat(1 + (index % 50) * 20);
    const command = index % 3 === 0 ? ['EVAL', 'return ARGV[1]', 0, nonce] : ['ECHO', nonce];
    return (await post(world, bound, command)).json.result === nonce;
  });
  t.true((await Promise.all(tasks)).every(Boolean));
  t.is(await countConnections(world), 1);
  t.is(await countConnections(second), 1);
});

test.serial('two keys of one instance keep to their own connections and rights', async (t) => {
  const world = await start(t);
  const reader = await addInstance(world, { port: redis.port, permissions: ['read'] });
  const { instanceId } = world;
  const em = world.orm.em.fork();
  em.create(KeyBindingEntity, { instanceId, keyId: reader.key.id, createdAt: new Date() });
  await em.flush();
  await signUp(reader);
  const readers = { instanceId, secret: reader.secret };
  const statuses = await Promise.all(
    Array.from({ length: 100 }, async (_, index) => {
      const { status } = await post(world, index % 2 ? readers : world, ['SET', 'k', 'v']);
      return status;
    }),
  );
  t.deepEqual(new Set(statuses.filter((_, index) => index % 2 === 0)), new Set([200]));
  t.deepEqual(new Set(statuses.filter((_, index) => index % 2 === 1)), new Set([400]));
  t.is(await countConnections(world), 1);
  t.is(await countConnections(reader), 1);
});

test.serial('an error of Redis is a 400 in its own words, and the connection stays', async (t) => {
  const world = await start(t);
  await redis.admin.set('text', 'x');
  const table: [unknown[], RegExp][] = [
    [['NOSUCH', 'x'], /^ERR unknown command 'NOSUCH'/],
    [['GET'], /^ERR wrong number of arguments for 'get' command$/],
    [['INCR', 'text'], /^ERR value is not an integer or out of range$/],
    [['LPUSH', 'text', 'x'], /^WRONGTYPE /],
    [['EVALSHA', '0'.repeat(40), 0], /^NOSCRIPT No matching script\. Please use EVAL\.$/],
    [['CONFIG', 'GET', '*'], /^NOPERM /],
    [['ACL', 'LIST'], /^NOPERM /],
    [['__proto__'], /^ERR unknown command/],
    [['constructor', 'x'], /^ERR unknown command/],
    [['a\r\nb'], /^ERR unknown command/],
  ];
  for (const [command, expected] of table) {
    const answer = await post(world, world, command);
    t.is(answer.status, 400, command.join(' '));
    t.regex(answer.json.error, expected);
  }
  t.is(await countConnections(world), 1);
});

test.serial('what a key may do is what Redis lets its user do', async (t) => {
  const world = await start(t, { permissions: ['read'] });
  await redis.admin.set('k', 'v');
  t.deepEqual((await call(world, world, '/get/k')).json, { result: 'v' });
  const answer = await call(world, world, '/set/k/other');
  t.is(answer.status, 400);
  t.regex(answer.json.error, /^NOPERM /);
  t.is(await redis.admin.get('k'), 'v');
});

test.serial('refused commands never reach Redis', async (t) => {
  const world = await start(t);
  await call(world, world, '/ping');
  await redis.admin.call('CONFIG', 'RESETSTAT');
  for (const name of Object.keys(refusedCommands)) {
    const answer = await post(world, world, [...name.toLowerCase().split(' '), 'x', '0']);
    t.is(answer.status, 400, name);
    t.regex(answer.json.error, /^ERR .+ is not supported over HTTP: /);
  }
  const stats = await redis.admin.info('commandstats');
  t.notRegex(stats, /cmdstat_(blpop|select|client|multi|subscribe|script)/);
  t.notRegex(await redis.admin.info('errorstats'), /errorstat_/);
});

test.serial(
  'a key that Redis does not know is a 401, and works once it is signed up',
  async (t) => {
    const harness = await startHarness(t);
    const bound = await addInstance(harness, { port: redis.port });
    for (const headers of [{}, { 'Upstash-Encoding': 'base64' }]) {
      const answer = await post(harness, bound, ['PING'], headers);
      t.is(answer.status, 401);
      t.is(answer.text, '{"error":"Invalid authentication token"}');
    }
    await signUp(bound);
    t.is((await post(harness, bound, ['PING'])).json.result, 'PONG');
  },
);

test.serial(
  'a key deleted in the records is refused within a second, at once when dropped',
  async (t) => {
    const world = await start(t);
    t.is((await call(world, world, '/ping')).status, 200);
    const em = world.orm.em.fork();
    await em.nativeDelete(KeyBindingEntity, { keyId: world.key.id });
    await sleep(1_050);
    t.is((await call(world, world, '/ping')).status, 404);

    const second = await addInstance(world, { port: redis.port });
    await signUp(second);
    t.is((await call(world, second, '/ping')).status, 200);
    await em.nativeDelete(KeyBindingEntity, { keyId: second.key.id });
    await em.nativeDelete(DataKeyEntity, { id: second.key.id });
    world.gateway.dropKey(second.key.id);
    const answer = await call(world, second, '/ping');
    t.is(answer.text, '{"error":"Invalid authentication token"}');
    await pollUntil(async () => ((await countConnections(second)) === 0 ? true : undefined), {
      timeoutMs: 2_000,
      intervalMs: 10,
    });
  },
);

test.serial('a dropped instance is refused at once and its connections are closed', async (t) => {
  const world = await start(t);
  t.is((await call(world, world, '/ping')).status, 200);
  await world.orm.em
    .fork()
    .nativeUpdate(InstanceEntity, { id: world.instanceId }, { desired: 'absent' });
  world.gateway.dropInstance(world.instanceId);
  const answer = await call(world, world, '/ping');
  t.is(answer.text, '{"error":"Redis instance not found"}');
  await pollUntil(async () => ((await countConnections(world)) === 0 ? true : undefined), {
    timeoutMs: 2_000,
    intervalMs: 10,
  });
});

test.serial(
  'an instance that moved is asked at its new address, not on old connections',
  async (t) => {
    const world = await start(t);
    const move = async (nodePort: number): Promise<void> => {
      const { orm, instanceId } = world;
      await orm.em.fork().nativeUpdate(InstanceEntity, { id: instanceId }, { nodePort });
      // Longer than what is known of the instance is kept.
      await sleep(1_050);
    };
    t.is((await call(world, world, '/ping')).status, 200);
    await move(1);
    const answer = await call(world, world, '/ping');
    t.deepEqual([answer.status, answer.text], [500, '{"error":"Redis connection error"}']);
    t.is(await countConnections(world), 0);
    await move(redis.port);
    t.is((await call(world, world, '/ping')).status, 200);
  },
);

test.serial('a restarted Redis is reached again by the next request', async (t) => {
  const world = await start(t);
  t.is((await call(world, world, '/ping')).status, 200);
  await redis.restart();
  await signUp(world);
  t.is((await call(world, world, '/ping')).status, 200);
});

test.serial('a cut connection fails its waiting requests and runs nothing twice', async (t) => {
  const world = await start(t);
  await redis.admin.del('n');
  t.is((await call(world, world, '/ping')).status, 200);
  await redis.pause();
  // On its way, but not read yet.
  const waiting = [1, 2, 3].map(() => post(world, world, ['INCR', 'n']));
  await sleep(200);
  world.gateway.dropInstance(world.instanceId);
  await redis.unpause();
  for (const answer of await Promise.all(waiting)) {
    t.true([200, 500].includes(answer.status));
    if (answer.status === 500) t.is(answer.text, '{"error":"Redis connection error"}');
  }
  t.is((await call(world, world, '/ping')).status, 200);
  t.is(await redis.admin.get('n'), '3');
});

test.serial(
  'a Redis that does not answer is a 500 in time, and its late reply finds nobody',
  async (t) => {
    const world = await start(t, { limits: { commandTimeoutMs: 300 } });
    t.is((await call(world, world, '/ping')).status, 200);
    const before = await listConnectionIds(world);
    await redis.pause();
    const startedMs = performance.now();
    const answer = await post(world, world, ['ECHO', 'late']);
    const tookMs = performance.now() - startedMs;
    await redis.unpause();
    t.deepEqual([answer.status, answer.text], [500, '{"error":"Redis connection error"}']);
    t.true(tookMs < 2_000, String(tookMs));
    for (let index = 0; index < 20; index++) {
      t.is((await post(world, world, ['ECHO', `${index}`])).json.result, `${index}`);
    }
    t.notDeepEqual(await listConnectionIds(world), before);
  },
);

test.serial(
  'idle connections are closed, busy ones are not, and there are never too many',
  async (t) => {
    const limits = { idleTimeoutMs: 300, connectionsMax: 2 };
    const world = await start(t, { limits });
    const others = await Promise.all([1, 2].map(() => addInstance(world, { port: redis.port })));
    for (const other of others) await signUp(other);
    const count = async (): Promise<number[]> =>
      await Promise.all([world, ...others].map((bound) => countConnections(bound)));
    for (const bound of [world, ...others]) t.is((await call(world, bound, '/ping')).status, 200);
    // The first was the one longest unused.
    await sleep(50);
    t.deepEqual(await count(), [0, 1, 1]);
    await pollUntil(async () => ((await count()).every((n) => n === 0) ? true : undefined), {
      timeoutMs: 3_000,
      intervalMs: 50,
    });
  },
);

test.serial('with every connection busy a newcomer is told to come back', async (t) => {
  const world = await start(t, { limits: { connectionsMax: 1 } });
  const other = await addInstance(world, { port: redis.port });
  await signUp(other);
  const busy = post(world, world, ['EVAL', slowScript, 0]);
  await sleep(30);
  const answer = await call(world, other, '/ping');
  t.is(answer.status, 503);
  t.is(answer.headers.get('retry-after'), '1');
  t.is((await busy).json.result, 1);
  t.is((await call(world, other, '/ping')).status, 200);
});

test.serial(
  'replies nested beyond what can be read are a clear failure, not a crash',
  async (t) => {
    const world = await start(t);
    const nest = (depth: number): Promise<{ status: number; text: string }> =>
      post(world, world, ['EVAL', `local t={} for i=1,${depth} do t={t} end return t`, 0]);
    t.is((await nest(500)).status, 200);
    const deep = await nest(3_500);
    t.true([200, 400, 500].includes(deep.status));
    if (deep.status === 500) t.is(deep.text, '{"error":"Redis connection error"}');
    t.is((await call(world, world, '/ping')).status, 200);
  },
);

test.serial(
  'the log tells key, instance, command, time and status, and nothing of the data',
  async (t) => {
    const world = await start(t);
    await post(world, world, ['SET', 'private-name', 'private-value']);
    await post(world, world, ['INCR', 'private-name']);
    await post(world, world, ['private\nname']);
    await call(world, world, `/get/private-name?_token=${world.secret}`);
    await world.orm.em
      .fork()
      .nativeUpdate(InstanceEntity, { id: world.instanceId }, { nodePort: 1 });
    world.gateway.dropInstance(world.instanceId);
    await post(world, world, ['SET', 'private-name', 'private-value']);
    const lines = world
      .log()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const [first] = lines.filter(({ msg }) => msg === 'command');
    t.like(first, {
      keyId: world.key.id,
      instanceId: world.instanceId,
      command: 'SET',
      status: 200,
    });
    t.is(first.requestId, 'req_test');
    t.is(typeof first.ms, 'number');
    const [warning] = lines.filter(({ msg }) => msg === 'command failed');
    t.like(warning, { status: 500, detail: 'ECONNREFUSED', requestId: 'req_test' });
    t.false(/private|sc_live/i.test(world.log()), world.log());
  },
);

test.serial('the last use of a key is recorded once a minute', async (t) => {
  const world = await start(t);
  const read = async (): Promise<Date | null | undefined> =>
    (await world.orm.em.fork().findOneOrFail(DataKeyEntity, { id: world.key.id })).lastUsedAt;
  t.falsy(await read());
  await call(world, world, '/ping');
  const first = await pollUntil(async () => (await read()) ?? undefined, {
    timeoutMs: 2_000,
    intervalMs: 10,
  });
  t.true(Math.abs(first.getTime() - Date.now()) < 5_000);
  await sleep(20);
  for (let index = 0; index < 5; index++) await call(world, world, '/ping');
  await sleep(50);
  t.deepEqual(await read(), first);
});
