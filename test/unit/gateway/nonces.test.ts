import test from 'ava';
import { startRedisContainer } from '../../support/redis-container.ts';
import { addInstance, signUp, startWorld } from './harness.ts';
import { runNonceLoad } from './nonce-load.ts';

/** `npm run test:gateway-nonces` sends a million of them. */
const requests = Number(process.env.NONCES ?? 20_000);

test('no reply reaches another request, whatever happens to Redis and to connections', async (t) => {
  t.timeout(60 * 60_000);
  const redis = await startRedisContainer(t);
  const first = await startWorld(t, redis);
  const second = await addInstance(first, { port: redis.port });
  await signUp(redis, second);
  const report = await runNonceLoad(first, redis, [first, second], {
    requests,
    connections: 200,
    troubleEveryMs: 500,
  });
  const { strayed, wrong, ...counts } = report;
  t.log(JSON.stringify({ ...counts, tookMs: Math.round(counts.tookMs) }));
  t.deepEqual(strayed, []);
  t.deepEqual(wrong, []);
  t.true(report.right > requests / 4, 'hardly any request was answered');
  t.true(report.cut === 0, 'connections of callers were cut, though Redis alone was in trouble');
});
