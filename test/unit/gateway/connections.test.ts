import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { pollUntil } from '../../../src/lib/retry.ts';
import { DataKeyEntity, KeyBindingEntity } from '../../../src/store/entities/data-key.ts';
import { InstanceEntity } from '../../../src/store/entities/instance.ts';
import { type RedisContainer, startRedisContainer } from '../../support/redis-container.ts';
import {
  addInstance,
  type Bound,
  call,
  countConnections,
  listConnectionIds,
  post,
  signUp,
  startWorld,
} from './harness.ts';

let redis: RedisContainer;
test.before(async () => {
  redis = await startRedisContainer();
});
test.after.always(async () => await redis?.remove());

/** Redis notices a closed connection when it next looks at its sockets. */
async function waitUntilUnconnected(bound: Bound): Promise<void> {
  const isGone = async () => ((await countConnections(redis, bound)) === 0 ? true : undefined);
  await pollUntil(isGone, { timeoutMs: 2_000, intervalMs: 10 });
}

/** Takes some hundred milliseconds. */
const slowScript = 'local t = 0 for i = 1, 3e7 do t = t + i end return 1';

test.serial(
  'a key deleted in the records is refused within a second, at once when dropped',
  async (t) => {
    const world = await startWorld(t, redis);
    t.is((await call(world, world, '/ping')).status, 200);
    const em = world.orm.em.fork();
    await em.nativeDelete(KeyBindingEntity, { keyId: world.key.id });
    await sleep(1_050);
    t.is((await call(world, world, '/ping')).status, 404);

    const second = await addInstance(world, { port: redis.port });
    await signUp(redis, second);
    t.is((await call(world, second, '/ping')).status, 200);
    await em.nativeDelete(KeyBindingEntity, { keyId: second.key.id });
    await em.nativeDelete(DataKeyEntity, { id: second.key.id });
    world.gateway.dropKey(second.key.id);
    const answer = await call(world, second, '/ping');
    t.is(answer.text, '{"error":"Invalid authentication token"}');
    await waitUntilUnconnected(second);
  },
);

test.serial('a dropped instance is refused at once and its connections are closed', async (t) => {
  const world = await startWorld(t, redis);
  t.is((await call(world, world, '/ping')).status, 200);
  await world.orm.em
    .fork()
    .nativeUpdate(InstanceEntity, { id: world.instanceId }, { desired: 'absent' });
  world.gateway.dropInstance(world.instanceId);
  const answer = await call(world, world, '/ping');
  t.is(answer.text, '{"error":"Redis instance not found"}');
  await waitUntilUnconnected(world);
});

test.serial(
  'an instance that moved is asked at its new address, not on old connections',
  async (t) => {
    const world = await startWorld(t, redis);
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
    await waitUntilUnconnected(world);
    await move(redis.port);
    t.is((await call(world, world, '/ping')).status, 200);
  },
);

test.serial('a restarted Redis is reached again by the next request', async (t) => {
  const world = await startWorld(t, redis);
  t.is((await call(world, world, '/ping')).status, 200);
  await redis.restart();
  await signUp(redis, world);
  t.is((await call(world, world, '/ping')).status, 200);
});

test.serial('a cut connection fails its waiting requests and runs nothing twice', async (t) => {
  const world = await startWorld(t, redis);
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
    const world = await startWorld(t, redis, { limits: { commandTimeoutMs: 300 } });
    t.is((await call(world, world, '/ping')).status, 200);
    const before = await listConnectionIds(redis, world);
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
    t.notDeepEqual(await listConnectionIds(redis, world), before);
  },
);

test.serial(
  'idle connections are closed, busy ones are not, and there are never too many',
  async (t) => {
    const limits = { idleTimeoutMs: 300, connectionsMax: 2 };
    const world = await startWorld(t, redis, { limits });
    const others = await Promise.all([1, 2].map(() => addInstance(world, { port: redis.port })));
    for (const other of others) await signUp(redis, other);
    const count = async (): Promise<number[]> =>
      await Promise.all([world, ...others].map((bound) => countConnections(redis, bound)));
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
  const world = await startWorld(t, redis, { limits: { connectionsMax: 1 } });
  const other = await addInstance(world, { port: redis.port });
  await signUp(redis, other);
  const busy = post(world, world, ['EVAL', slowScript, 0]);
  await sleep(30);
  const answer = await call(world, other, '/ping');
  t.is(answer.status, 503);
  t.is(answer.headers.get('retry-after'), '1');
  t.is((await busy).json.result, 1);
  t.is((await call(world, other, '/ping')).status, 200);
});

test.serial('more commands than may wait on a connection are told to come back', async (t) => {
  const world = await startWorld(t, redis, { limits: { inFlightMax: 2 } });
  const longScript = slowScript.replace('3e7', '2e8');
  const waiting = [1, 2].map(() => post(world, world, ['EVAL', longScript, 0]));
  const areWaiting = async () => world.gateway.readFigures().gauges.requests_in_flight === 2;
  await pollUntil(async () => (await areWaiting()) || undefined, {
    timeoutMs: 10_000,
    intervalMs: 5,
  });
  const beyond = await Promise.all(Array.from({ length: 18 }, () => post(world, world, ['PING'])));
  t.true(beyond.every(({ status }) => status === 503));
  t.true((await Promise.all(waiting)).every(({ status }) => status === 200));
  t.is((await call(world, world, '/ping')).status, 200);
});

/** Redis quotes the unfinished string in its error reply, and its line break ends that reply. */
const forgingLibrary = '#!lua name=x\nlocal a = "b\\13\\10+FORGED\n';
const forgingScript = "return redis.error_reply('ERR x\\r\\n+FORGED')";

test.serial(
  'whoever has Redis forge replies harms nobody but the requests beside it',
  async (t) => {
    const world = await startWorld(t, redis);
    const forging = [
      ['FUNCTION', 'LOAD', forgingLibrary],
      ['EVAL', forgingScript, 0],
    ];
    await Promise.all(
      Array.from({ length: 300 }, async (_, index) => {
        const command = index % 10 === 5 ? forging[(index >> 4) % 2] : ['ECHO', `${index}`];
        const { status, json, text } = await post(world, world, command);
        if (index % 10 === 5) return t.true([400, 500].includes(status), text);
        // A connection error is what it may cost; another's reply is not.
        return status === 500 ? t.pass() : t.is(json.result, `${index}`);
      }),
    );
    t.is((await post(world, world, ['ECHO', 'after'])).json.result, 'after');
  },
);

test.serial('scripts in pipelines and transactions have their own replies', async (t) => {
  const world = await startWorld(t, redis);
  const commands = [
    ['ECHO', 'a'],
    ['EVAL', 'return ARGV[1]', 0, 'b'],
    ['EVAL', "return redis.error_reply('ERR c')", 0],
    ['EVAL', 'return {1, {ok = "d"}, false}', 0],
    ['ECHO', 'e'],
  ];
  const expected = [
    { result: 'a' },
    { result: 'b' },
    { error: 'ERR c' },
    { result: [1, 'd', null] },
    { result: 'e' },
  ];
  for (const path of ['/pipeline', '/multi-exec']) {
    const body = JSON.stringify(commands);
    t.deepEqual((await call(world, world, path, { method: 'POST', body })).json, expected);
  }
  t.is(await countConnections(redis, world), 1);
});

test.serial(
  'a reply over the bound is a clear refusal, and the next request is served',
  async (t) => {
    const world = await startWorld(t, redis, { limits: { replyBytesMax: 100_000 } });
    await redis.admin.set('fits', 'x'.repeat(90_000));
    await redis.admin.set('large', 'x'.repeat(110_000));
    t.is((await call(world, world, '/get/fits')).json.result.length, 90_000);
    const answer = await call(world, world, '/get/large');
    t.is(answer.status, 400);
    t.regex(answer.json.error, /^ERR reply is larger than 100000 bytes/);
    t.is((await call(world, world, '/get/fits')).status, 200);
  },
);

test.serial('values of many sizes come back whole, through chunks and all', async (t) => {
  const world = await startWorld(t, redis);
  await Promise.all(
    Array.from({ length: 60 }, async (_, index) => {
      const value = `${index}:${String.fromCharCode(33 + index).repeat(Math.floor(1.3 ** index) % 700_000)}`;
      await post(world, world, ['SET', `size:${index}`, value]);
      t.true((await call(world, world, `/get/size:${index}`)).json.result === value);
    }),
  );
});
