import test from 'ava';
import { type RedisContainer, startRedisContainer } from '../../support/redis-container.ts';
import { addInstance, startHarness } from './harness.ts';

let redis: RedisContainer;
test.before(async () => {
  redis = await startRedisContainer();
});
test.after.always(async () => await redis?.remove());

interface Reply {
  readonly result?: unknown;
  readonly error?: string;
}

/** A function that posts a body to the pipeline endpoint of an instance. */
async function startPipeline(t: Parameters<typeof startHarness>[0]) {
  const harness = await startHarness(t);
  const bound = await addInstance(harness, { port: redis.port });
  const { id: name, secretHash: passwordHash, permissions } = bound.key;
  await redis.setUser({ name, passwordHash, permissions });
  return async (body: string) => {
    const response = await fetch(`${harness.baseUrl}/redis/${bound.instanceId}/pipeline`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${bound.secret}` },
      body,
    });
    return { status: response.status, json: (await response.json()) as Reply[] & Reply };
  };
}

test('a pipeline gives each command its own result or error, in order', async (t) => {
  const pipeline = await startPipeline(t);
  const key = `pipeline:${Math.random()}`;
  const commands = [
    ['SET', key, 1.0],
    ['INCR', key],
    ['LPUSH', key, 'x'],
    ['BLPOP', key, 0],
    ['HGETALL', `${key}:none`],
    ['GET', key],
  ];
  const { status, json } = await pipeline(JSON.stringify(commands));
  t.is(status, 200);
  t.deepEqual(json[0], { result: 'OK' });
  t.deepEqual(json[1], { result: 2 });
  t.regex(json[2]?.error ?? '', /^WRONGTYPE /);
  t.regex(json[3]?.error ?? '', /^ERR BLPOP is not supported over HTTP/);
  t.deepEqual(json[4], { result: {} });
  t.deepEqual(json[5], { result: '2' });
});

test('the commands of a pipeline run in the order they stand in', async (t) => {
  const pipeline = await startPipeline(t);
  const key = `order:${Math.random()}`;
  const numbers = Array.from({ length: 999 }, (_, index) => String(index));
  const commands = [...numbers.map((number) => ['RPUSH', key, number]), ['LRANGE', key, '0', '-1']];
  const { json } = await pipeline(JSON.stringify(commands));
  t.deepEqual(json.at(-1)?.result, numbers);
});

for (const body of [
  '',
  '[]',
  '{}',
  '[["GET"],"x"]',
  '[[]]',
  '[["GET",null]]',
  '[["GET",["k"]]]',
  'x',
]) {
  test(`the pipeline ${JSON.stringify(body)} is refused whole with 400`, async (t) => {
    const { status, json } = await (await startPipeline(t))(body);
    t.is(status, 400);
    t.is(typeof json.error, 'string');
  });
}

test('a pipeline of more than 1,000 commands is refused', async (t) => {
  const commands = Array.from({ length: 1_001 }, () => ['PING']);
  const { status, json } = await (await startPipeline(t))(JSON.stringify(commands));
  t.is(status, 400);
  t.regex(json.error ?? '', /at most 1000 commands/);
});
