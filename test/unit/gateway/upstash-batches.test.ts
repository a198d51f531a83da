/** Upstash's published clients, unmodified: pipelines, transactions, scripts and the rate limiter. */
import { Ratelimit } from '@upstash/ratelimit';
import { Redis } from '@upstash/redis';
import test from 'ava';
import { type RedisContainer, startRedisContainer } from '../../support/redis-container.ts';
import { startWorld, type World } from './harness.ts';

let redis: RedisContainer;
test.before(async () => {
  redis = await startRedisContainer();
});
test.after.always(async () => await redis?.remove());

function connect(world: World, options: { enableAutoPipelining?: boolean } = {}): Redis {
  const url = `${world.baseUrl}/redis/${world.instanceId}`;
  return new Redis({ url, token: world.secret, enableTelemetry: true, ...options });
}

test('a pipeline gives every result in its place, and its first error or all of them', async (t) => {
  const client = connect(await startWorld(t, redis));
  const good = client.pipeline().set('up:a', { n: 1 }).get('up:a').incr('up:n').hgetall('up:none');
  t.deepEqual(await good.exec(), ['OK', { n: 1 }, 1, null]);
  const bad = () => client.pipeline().set('up:s', 'text').lpush('up:s', 'x').get('up:s');
  await t.throwsAsync(bad().exec(), { message: /Command 2 \[ lpush \] failed: WRONGTYPE/ });
  const [, failed, last] = await bad().exec({ keepErrors: true });
  t.regex(failed?.error ?? '', /^WRONGTYPE/);
  t.like(last, { result: 'text' });
});

test('a pipeline of a thousand commands keeps its order', async (t) => {
  const client = connect(await startWorld(t, redis));
  const pipeline = client.pipeline();
  for (let index = 0; index < 999; index++) pipeline.rpush('up:list', index);
  pipeline.lrange('up:list', 0, -1);
  const results = await pipeline.exec();
  t.deepEqual(
    results.at(-1),
    Array.from({ length: 999 }, (_, index) => index),
  );
});

test('commands that are pipelined by themselves get their own results', async (t) => {
  const client = connect(await startWorld(t, redis), { enableAutoPipelining: true });
  const [, numbers, values, failed] = await Promise.all([
    client.mset({ 'up:auto:a': 'a', 'up:auto:b': 'b' }),
    Promise.all(Array.from({ length: 50 }, () => client.incr('up:auto:n'))),
    client.mget('up:auto:a', 'up:auto:b', 'up:auto:none'),
    client.lpush('up:auto:a', 'x').catch((error: Error) => error.message),
  ]);
  t.deepEqual(
    numbers,
    Array.from({ length: 50 }, (_, index) => index + 1),
  );
  t.deepEqual(values, ['a', 'b', null]);
  t.regex(String(failed), /WRONGTYPE/);
});

test('a transaction runs as one, and one that is discarded throws', async (t) => {
  const client = connect(await startWorld(t, redis));
  const results = await client.multi().set('up:tx', 1).incr('up:tx').get('up:tx').exec();
  t.deepEqual(results, ['OK', 2, 2]);
  const wrong = client.multi().set('up:tx', 5);
  wrong.set('up:tx', 6, { ex: 1.5 });
  await t.throwsAsync(wrong.exec(), { message: /ERR value is not an integer/ });
  const discarded = client.multi().set('up:tx', 7).mget([]);
  await t.throwsAsync(discarded.exec(), { message: /EXECABORT/ });
  t.is(await client.get('up:tx'), 5);
});

test('a script runs by its SHA, and is sent where Redis does not know it', async (t) => {
  const client = connect(await startWorld(t, redis));
  const script = client.createScript<string[]>(
    `#!lua flags=allow-key-locking\n-- ${Math.random()}\nreturn {KEYS[1], ARGV[1]}`,
  );
  t.deepEqual(await script.exec(['k'], ['v']), ['k', 'v']);
  t.deepEqual(await script.exec(['k'], ['w']), ['k', 'w']);
  const source = `return ${Math.floor(Math.random() * 1e9)}`;
  const sha = await client.scriptLoad(source);
  t.deepEqual(await client.scriptExists(sha, '0'.repeat(40)), [1, 0]);
  t.is(await client.evalsha(sha, [], []), Number(source.slice(7)));
  await t.throwsAsync(client.evalsha('0'.repeat(40), [], []), { message: /NOSCRIPT/ });
});

test('a scan tells the types of keys where it is asked to', async (t) => {
  const client = connect(await startWorld(t, redis));
  await client.set('up:scan:s', 1);
  await client.sadd('up:scan:set', 'm');
  const options = { match: 'up:scan:*', count: 10_000, withType: true } as const;
  const [cursor, keys] = await client.scan(0, options);
  t.is(String(cursor), '0');
  const found = keys.map(({ key, type }) => `${key} ${type}`);
  t.deepEqual(found.sort(), ['up:scan:s string', 'up:scan:set set']);
});

/** So long that no test sees its end. */
const window = '365 d';

const limiters = {
  fixedWindow: Ratelimit.fixedWindow(3, window),
  slidingWindow: Ratelimit.slidingWindow(3, window),
  tokenBucket: Ratelimit.tokenBucket(1, window, 3),
};

for (const [name, limiter] of Object.entries(limiters)) {
  // Alone, for it makes Redis forget all scripts.
  test.serial(`Upstash's rate limiter works unmodified: ${name}`, async (t) => {
    const world = await startWorld(t, redis);
    const ratelimit = new Ratelimit({
      redis: connect(world),
      limiter,
      prefix: `up:rate:${name}`,
      ephemeralCache: false,
      analytics: false,
      // Or an answer that takes long counts as a yes.
      timeout: 0,
    });
    const take = async (who: string, rate = 1) => {
      const { success, limit, remaining } = await ratelimit.limit(who, { rate });
      return [success, limit, remaining];
    };
    t.deepEqual(await take('one'), [true, 3, 2]);
    t.deepEqual(await take('one'), [true, 3, 1]);
    t.deepEqual(await take('two', 3), [true, 3, 0]);
    t.deepEqual(await take('one'), [true, 3, 0]);
    t.false((await take('one'))[0]);
    t.false((await take('two'))[0]);
    const { remaining } = await ratelimit.getRemaining('one');
    t.is(remaining, 0);
    // The second time the script is there, whose SHA is that of the text with the flag.
    await redis.admin.script('FLUSH');
    t.deepEqual(await take('three'), [true, 3, 2]);
    t.deepEqual(await take('three'), [true, 3, 1]);
  });
}
