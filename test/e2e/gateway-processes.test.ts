/** A whole service with gateway processes: every surface on one port, and a deleted key refused by all. */
import test from 'ava';
import { pollUntil } from '../../src/lib/retry.ts';
import { createRunningInstance, startTestService } from '../support/service.ts';

const calls = 40;
const patience = { timeoutMs: 60_000, intervalMs: 50 };

test('several processes serve one port, and a deleted key stops in all of them', async (t) => {
  const service = await startTestService(t, {
    SWIFTCACHE_GATEWAY_PROCESSES: '3',
    SWIFTCACHE_METRICS_TOKEN: 'm'.repeat(32),
  });
  const one = await createRunningInstance(service);
  const path = `/api/v1/instances/${one.id}/api-keys`;
  const { createdKey } = await service.api.call('POST', path, { name: 'test' });
  // Each on a connection of its own, which the kernel gives to any of them.
  const ask = async (url: string, key: string): Promise<number> => {
    const headers = { Authorization: `Bearer ${key}`, Connection: 'close' };
    const response = await fetch(`${service.url}${url}`, { headers });
    await response.text();
    return response.status;
  };
  const askAll = async (url: string, key: string): Promise<number[]> =>
    await Promise.all(Array.from({ length: calls }, () => ask(url, key)));
  const ping = `/redis/${one.id}/ping`;
  // The processes come up while the service serves already.
  await pollUntil(async () => {
    const statuses = await askAll(ping, createdKey.plainTextKey);
    t.deepEqual(new Set(statuses), new Set([200]));
    const metrics = await fetch(`${service.url}/metrics`, {
      headers: { Authorization: `Bearer ${'m'.repeat(32)}` },
    });
    const counted = /commands_total\{family="other"\} (\d+)/.exec(await metrics.text())?.[1];
    return Number(counted) >= calls || undefined;
  }, patience);
  t.deepEqual(new Set(await askAll('/api/v1/instances/none', 'x')), new Set([401]));
  t.deepEqual(new Set(await askAll('/healthz', 'x')), new Set([200]));
  await service.api.call('DELETE', `/api/v1/api-keys/${createdKey.id}`);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  t.deepEqual(new Set(await askAll(ping, createdKey.plainTextKey)), new Set([401]));
  t.is(await service.end('SIGTERM'), 0);
  await t.throwsAsync(ask('/healthz', 'x'));
});
