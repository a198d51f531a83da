import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { refusedCommands } from '../../../src/gateway/refused-commands.ts';
import { pollUntil } from '../../../src/lib/retry.ts';
import { DataKeyEntity, KeyBindingEntity } from '../../../src/store/entities/data-key.ts';
import { InstanceEntity } from '../../../src/store/entities/instance.ts';
import { type RedisContainer, startRedisContainer } from '../../support/redis-container.ts';
import {
  addInstance,
  call,
  countConnections,
  post,
  signUp,
  startHarness,
  startWorld,
} from './harness.ts';

let redis: RedisContainer;
test.before(async () => {
  redis = await startRedisContainer();
});
test.after.always(async () => await redis?.remove());

test.serial('a body, a query and HEAD work with a command in the path', async (t) => {
  const world = await startWorld(t, redis);
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
  const world = await startWorld(t, redis);
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
  const world = await startWorld(t, redis);
  const second = await addInstance(world, { port: redis.port });
  await signUp(redis, second);
  const tasks = Array.from({ length: 2_000 }, async (_, index) => {
    const bound = index % 2 === 0 ? world : second;
    const nonce = `${index}`.repeat(1 + (index % 50) * 20);
    const command = index % 3 === 0 ? ['EVAL', 'return ARGV[1]', 0, nonce] : ['ECHO', nonce];
    return (await post(world, bound, command)).json.result === nonce;
  });
  t.true((await Promise.all(tasks)).every(Boolean));
  t.is(await countConnections(redis, world), 1);
  t.is(await countConnections(redis, second), 1);
});

test.serial('two keys of one instance keep to their own connections and rights', async (t) => {
  const world = await startWorld(t, redis);
  const reader = await addInstance(world, { port: redis.port, permissions: ['read'] });
  const { instanceId } = world;
  const em = world.orm.em.fork();
  em.create(KeyBindingEntity, { instanceId, keyId: reader.key.id, createdAt: new Date() });
  await em.flush();
  await signUp(redis, reader);
  const readers = { instanceId, secret: reader.secret };
  const statuses = await Promise.all(
    Array.from({ length: 100 }, async (_, index) => {
      const { status } = await post(world, index % 2 ? readers : world, ['SET', 'k', 'v']);
      return status;
    }),
  );
  t.deepEqual(new Set(statuses.filter((_, index) => index % 2 === 0)), new Set([200]));
  t.deepEqual(new Set(statuses.filter((_, index) => index % 2 === 1)), new Set([400]));
  t.is(await countConnections(redis, world), 1);
  t.is(await countConnections(redis, reader), 1);
});

test.serial('an error of Redis is a 400 in its own words, and the connection stays', async (t) => {
  const world = await startWorld(t, redis);
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
  // Those for commands that are not shared are closed; Redis may notice a little later.
  const count = await pollUntil(
    async () => ((await countConnections(redis, world)) === 1 ? 1 : undefined),
    { timeoutMs: 30_000, intervalMs: 20 },
  );
  t.is(count, 1);
});

test.serial('what a key may do is what Redis lets its user do', async (t) => {
  const world = await startWorld(t, redis, { permissions: ['read'] });
  await redis.admin.set('k', 'v');
  t.deepEqual((await call(world, world, '/get/k')).json, { result: 'v' });
  const answer = await call(world, world, '/set/k/other');
  t.is(answer.status, 400);
  t.regex(answer.json.error, /^NOPERM /);
  t.is(await redis.admin.get('k'), 'v');
});

test.serial('refused commands never reach Redis', async (t) => {
  const world = await startWorld(t, redis);
  await call(world, world, '/ping');
  await redis.admin.call('CONFIG', 'RESETSTAT');
  for (const name of Object.keys(refusedCommands)) {
    const answer = await post(world, world, [...name.toLowerCase().split('|'), 'x', '0']);
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
    await signUp(redis, bound);
    t.is((await post(harness, bound, ['PING'])).json.result, 'PONG');
  },
);

test.serial(
  'replies nested beyond what can be read are a clear failure, not a crash',
  async (t) => {
    const world = await startWorld(t, redis);
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
    const world = await startWorld(t, redis);
    const set = await post(world, world, ['SET', 'private-name', 'private-value']);
    await post(world, world, ['INCR', 'private-name']);
    await post(world, world, ['private\nname']);
    await call(world, world, `/get/private-name?_token=${world.secret}`);
    await world.orm.em
      .fork()
      .nativeUpdate(InstanceEntity, { id: world.instanceId }, { nodePort: 1 });
    world.gateway.dropInstance(world.instanceId);
    const failed = await post(world, world, ['SET', 'private-name', 'private-value']);
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
    t.is(first.requestId, set.headers.get('x-request-id'));
    t.is(typeof first.ms, 'number');
    const [warning] = lines.filter(({ msg }) => msg === 'command failed');
    const requestId = failed.headers.get('x-request-id');
    t.like(warning, { status: 500, detail: 'ECONNREFUSED', requestId });
    t.false(/private|sc_live/i.test(world.log()), world.log());
  },
);

test.serial('the last use of a key is recorded once a minute', async (t) => {
  const world = await startWorld(t, redis);
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
