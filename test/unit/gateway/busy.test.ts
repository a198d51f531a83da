/** What callers get while Redis runs somebody's script and takes nothing else, and that it costs no connection. */
import test from 'ava';
import { pollUntil } from '../../../src/lib/retry.ts';
import { type RedisContainer, startRedisContainer } from '../../support/redis-container.ts';
import { type Answer, call, listConnectionIds, post, startWorld, type World } from './harness.ts';

let redis: RedisContainer;
test.before(async () => {
  redis = await startRedisContainer();
});
test.after.always(async () => await redis?.remove());

/** Has Redis run a script without end while `work` runs. */
async function whileBusy(world: World, work: () => Promise<void>): Promise<void> {
  await redis.admin.config('SET', 'busy-reply-threshold', '10');
  const other = redis.admin.duplicate({ commandTimeout: 60_000, retryStrategy: () => null });
  const endless = other.call('EVAL', 'while true do end', '0').catch(() => {});
  try {
    const isBusy = async () => (await call(world, world, '/get/k')).status === 503 || undefined;
    await pollUntil(isBusy, { timeoutMs: 30_000, intervalMs: 20 });
    await work();
  } finally {
    await redis.admin.script('KILL');
    await endless;
    other.disconnect();
  }
}

const postTo = async (world: World, path: string, commands: unknown): Promise<Answer> =>
  await call(world, world, path, { method: 'POST', body: JSON.stringify(commands) });

test.serial('while Redis is busy with a script, each request gets its BUSY as a 503', async (t) => {
  const world = await startWorld(t, redis);
  const scripts = [
    ['EVAL', 'return 1', 0],
    ['EVALSHA', 'e0e1f9fabfc9d4800c877a703b823ac0578ff8db', 0],
    ['SCRIPT', 'LOAD', 'return 2'],
  ];
  t.is((await post(world, world, scripts[0])).status, 200);
  const before = await listConnectionIds(redis, world);
  await whileBusy(world, async () => {
    const answers = await Promise.all([
      ...Array.from({ length: 20 }, () =>
        scripts.map((script) => post(world, world, script)),
      ).flat(),
      ...Array.from({ length: 20 }, () => post(world, world, ['SET', 'busy', '1'])),
      ...scripts.map((script) => postTo(world, '/multi-exec', [['SET', 'busy', '1'], script])),
    ]);
    for (const { status, headers, json } of answers) {
      t.deepEqual([status, headers.get('retry-after')], [503, '1'], json.error);
      t.regex(json.error, /BUSY Redis is busy running a script/);
    }
    const pipeline = await postTo(world, '/pipeline', [...scripts, ['SET', 'busy', '1']]);
    t.is(pipeline.status, 200);
    t.is(pipeline.json.length, 4);
    for (const { error } of pipeline.json) t.regex(error, /^BUSY /);
  });
  t.deepEqual((await post(world, world, ['EVAL', 'return {1, 2}', 0])).json, { result: [1, 2] });
  t.deepEqual((await call(world, world, '/exists/busy')).json, { result: 0 });
  t.deepEqual(await listConnectionIds(redis, world), before);
});

test.serial('errors that a script forges while Redis is busy reach no other request', async (t) => {
  const world = await startWorld(t, redis);
  const busy = 'BUSY Redis is busy running a script';
  const forging = ['EVAL', `return redis.error_reply('${busy}\\r\\n-${busy}\\r\\n-${busy}')`, 0];
  for (let round = 0; round < 3; round += 1) {
    const [, ...others] = await Promise.all([
      post(world, world, forging),
      ...Array.from({ length: 20 }, (_, index) => post(world, world, ['ECHO', `${index}`])),
    ]);
    for (const [index, { status, json }] of others.entries()) {
      if (status === 200) t.is(json.result, String(index));
      else t.deepEqual([status, json.error], [500, 'Redis connection error']);
    }
  }
});
