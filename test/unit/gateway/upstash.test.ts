import { Redis } from '@upstash/redis';
import test from 'ava';
import { type RedisContainer, startRedisContainer } from '../../support/redis-container.ts';
import { addInstance, post, startHarness } from './harness.ts';

let redis: RedisContainer;
test.before(async () => {
  redis = await startRedisContainer();
});
test.after.always(async () => await redis?.remove());

async function start(t: Parameters<typeof startHarness>[0]) {
  const harness = await startHarness(t);
  const bound = await addInstance(harness, { port: redis.port });
  const { id: name, secretHash: passwordHash, permissions } = bound.key;
  await redis.setUser({ name, passwordHash, permissions });
  const url = `${harness.baseUrl}/redis/${bound.instanceId}`;
  return { harness, bound, url };
}

const modes = [
  { responseEncoding: 'base64', pipelining: true },
  { responseEncoding: 'base64', pipelining: false },
  { responseEncoding: false, pipelining: false },
] as const;

for (const { responseEncoding, pipelining } of modes) {
  test(`Upstash's client works unmodified with response encoding ${responseEncoding} and pipelining ${pipelining}`, async (t) => {
    const { bound, url } = await start(t);
    const client = new Redis({
      url,
      token: bound.secret,
      enableAutoPipelining: pipelining,
      enableTelemetry: true,
      responseEncoding,
    });
    const k = (name: string): string => `${bound.instanceId}:${name}`;
    t.is(await client.ping(), 'PONG');
    t.is(await client.set(k('a'), 'OK'), 'OK');
    t.is(await client.get(k('a')), 'OK');
    t.is(await client.set(k('b'), 'é😀', { ex: 100, nx: true }), 'OK');
    t.is(await client.set(k('b'), 'x', { nx: true }), null);
    t.is(await client.get(k('b')), 'é😀');
    t.is(await client.get(k('none')), null);
    t.is(await client.set(k('json'), { list: [1, 'two', null] }), 'OK');
    t.deepEqual(await client.get(k('json')), { list: [1, 'two', null] });
    t.is(await client.hset(k('h'), { field: 'value', 10: 'ten', 2: 'two', OK: 'OK' }), 4);
    t.deepEqual(await client.hgetall(k('h')), { field: 'value', 10: 'ten', 2: 'two', OK: 'OK' });
    t.is(await client.hgetall(k('none')), null);
    t.is(await client.incr(k('n')), 1);
    t.is(await client.incrbyfloat(k('f'), 1.5), 1.5);
    t.is(await client.lpush(k('l'), 'a', 'b', 'OK'), 3);
    t.deepEqual(await client.lrange(k('l'), 0, -1), ['OK', 'b', 'a']);
    t.is(await client.sadd(k('s'), 'm'), 1);
    t.deepEqual(await client.smembers(k('s')), ['m']);
    t.is(await client.zadd(k('z'), { score: 1.5, member: 'a' }, { score: 2, member: 'b' }), 2);
    t.deepEqual(await client.zrange(k('z'), 0, -1, { withScores: true }), ['a', 1.5, 'b', 2]);
    t.is(await client.zscore(k('z'), 'a'), 1.5);
    t.deepEqual(await client.eval('return {KEYS[1], ARGV[1], 7}', ['key'], ['arg']), [
      'key',
      'arg',
      7,
    ]);
    const id = await client.xadd(k('x'), '*', { f: 'v' });
    t.deepEqual(await client.xrange(k('x'), '-', '+'), { [id]: { f: 'v' } });
    const [cursor, keys] = await client.scan(0, { match: k('*'), count: 1000 });
    t.is(String(cursor), '0');
    t.true(keys.includes(k('a')));
    await t.throwsAsync(client.lpush(k('a'), 'x'), { message: /WRONGTYPE/ });
    t.is(await client.exec(['BLPOP', k('empty'), '0.01']), null);
  });
}

test("Upstash's client tells a wrong key and a wrong instance by the error text", async (t) => {
  const { bound, url, harness } = await start(t);
  const wrongKey = new Redis({ url, token: `sc_live_${'0'.repeat(32)}` });
  await t.throwsAsync(wrongKey.get('k'), { message: /Invalid authentication token/ });
  const other = `${harness.baseUrl}/redis/inst_aaaaaaaaaaaaaaaa`;
  const wrongInstance = new Redis({ url: other, token: bound.secret });
  await t.throwsAsync(wrongInstance.get('k'), { message: /Redis instance not found/ });
});

test('with an Upstash header replies have the flat shapes of RESP2', async (t) => {
  const { bound, harness } = await start(t);
  const flat = async (...command: unknown[]): Promise<unknown> =>
    (await post(harness, bound, command, { 'Upstash-Sync-Token': '' })).json.result;
  await flat('HSET', 'flat:h', 'a', '1', '2', 'b');
  t.deepEqual(await flat('HGETALL', 'flat:h'), ['a', '1', '2', 'b']);
  await flat('ZADD', 'flat:z', '1.5', 'a', 'inf', 'b');
  t.deepEqual(await flat('ZRANGE', 'flat:z', 0, -1, 'WITHSCORES'), ['a', '1.5', 'b', 'inf']);
  t.is(await flat('ZSCORE', 'flat:z', 'a'), '1.5');
  t.deepEqual(await flat('EVAL', 'redis.setresp(3) return {true, false}', 0), [1, 0]);
  t.is(await flat('SET', 'flat:n', '9007199254740992'), 'OK');
  t.is(await flat('INCR', 'flat:n'), '9007199254740993');
});

test('binary values and field names survive byte for byte in base64', async (t) => {
  const { bound, harness } = await start(t);
  const bytes = Buffer.from([0xff, 0x00, 0x80, 0x0d, 0x0a]);
  await redis.admin.hset('bin', bytes, bytes);
  const { json } = await post(harness, bound, ['HGETALL', 'bin'], { 'Upstash-Encoding': 'base64' });
  t.deepEqual(json.result, [bytes.toString('base64'), bytes.toString('base64')]);
});
