import test from 'ava';
import { type RedisContainer, startRedisContainer } from '../../support/redis-container.ts';
import { addInstance, call, signUp, startHarness } from './harness.ts';

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
  await signUp(redis, bound);
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

test('commands that need a connection of their own keep their places', async (t) => {
  const pipeline = await startPipeline(t);
  const key = `own:${Math.random()}`;
  const commands = [
    ['SET', key, '1'],
    ['CONFIG', 'GET', 'x'],
    ['INCR', key],
    ['JSON.GET', key],
    ['FT.SEARCH', 'x', 'y'],
    ['SCAN', '0', 'MATCH', key, 'COUNT', '10000', 'WITHTYPE'],
    ['SELECT', '1'],
    ['INCR', key],
  ];
  const { status, json } = await pipeline(JSON.stringify(commands));
  t.is(status, 200);
  t.deepEqual(json[0], { result: 'OK' });
  t.regex(json[1]?.error ?? '', /^NOPERM /);
  t.deepEqual(json[2], { result: 2 });
  t.regex(json[3]?.error ?? '', /^ERR unknown command 'JSON\.GET'/);
  t.regex(json[4]?.error ?? '', /^ERR unknown command 'FT\.SEARCH'/);
  t.deepEqual(json[5], { result: ['0', { [key]: 'string' }] });
  t.regex(json[6]?.error ?? '', /^ERR SELECT is not supported over HTTP/);
  t.deepEqual(json[7], { result: 3 });
});

test('a pipeline is known in any case of letters, behind slashes and of any content type', async (t) => {
  const harness = await startHarness(t);
  const bound = await addInstance(harness, { port: redis.port });
  await signUp(redis, bound);
  for (const path of ['/pipeline', '//pipeline', '/PipeLine/']) {
    for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'application/json']) {
      const headers = { 'Content-Type': type };
      const init = { method: 'POST', headers, body: '[["PING"]]' };
      t.deepEqual((await call(harness, bound, path, init)).json, [{ result: 'PONG' }]);
    }
  }
  const get = await call(harness, bound, '/pipeline');
  t.deepEqual(
    [get.status, get.json.error],
    [400, 'ERR empty pipeline request: POST a JSON array of commands'],
  );
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
