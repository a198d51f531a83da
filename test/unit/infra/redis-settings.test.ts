/** What it means that settings are set, against a real Redis. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { writeLiveSettings } from '../../../infra/live-settings.ts';
import { redisSettings } from '../../../infra/provider/redis-settings.ts';
import { pollUntil } from '../../../src/lib/retry.ts';
import { startRedisContainer } from '../../support/redis-container.ts';

const run = promisify(execFile);
const password = 'of-the-platform';
const settings = { maxMemoryBytes: 2 ** 26, evictionPolicy: 'noeviction', persistence: true };
const killRewrite = `for p in /proc/[0-9]*; do read -r line < $p/cmdline
  case $line in redis-aof-rewrite*) kill -9 "\${p#/proc/}";; esac; done`;

/** Starts a Redis whose files take so long to be written. */
async function startSlowRedis(t: ExecutionContext, writeMs: number) {
  const redis = await startRedisContainer(t, { platformPassword: password });
  const { id: containerId, host, port, admin } = redis;
  await admin.call('DEBUG', 'POPULATE', '300');
  await admin.config('SET', 'rdb-key-save-delay', String((writeMs * 1_000) / 300));
  const shell = async (script: string) =>
    (await run('docker', ['exec', containerId, 'sh', '-c', script])).stdout;
  const infoHas = async (line: string) =>
    (await admin.info('persistence')).includes(`${line}\r\n`) || undefined;
  return {
    admin,
    shell,
    address: { containerId, host, port, password },
    infoHas,
    infoComesToHave: (line: string) =>
      pollUntil(() => infoHas(line), { timeoutMs: 20_000, intervalMs: 10 }),
    isKept: async () =>
      (await shell('while read -r line; do echo "$line"; done < /tmp/redis.conf')).includes(
        'appendonly yes',
      ),
  };
}

test('persistence is on once the data are in a file that a start loads', async (t) => {
  const redis = await startSlowRedis(t, 3_000);
  const switching = redisSettings.update('', { ...redis.address, ...settings });
  await redis.infoComesToHave('aof_rewrite_in_progress:1');
  t.false(await redis.isKept());
  await switching;
  t.true(await redis.infoHas('aof_rewrite_in_progress:0'));
  t.true(await redis.infoHas('aof_last_bgrewrite_status:ok'));
  t.true(await redis.isKept());
});

test('a first file that takes too long is waited for by the next try', async (t) => {
  const redis = await startSlowRedis(t, 3_000);
  const write = (timeoutMs: number) => writeLiveSettings(redis.admin, settings, { timeoutMs });
  await t.throwsAsync(write(500), { message: /is still writing/ });
  t.false(await redis.isKept());
  await write(20_000);
  t.true(await redis.infoHas('aof_rewrite_in_progress:0'));
  t.true(await redis.isKept());
});

test('persistence whose first file cannot be written is off', async (t) => {
  const redis = await startSlowRedis(t, 60_000);
  const switching = writeLiveSettings(redis.admin, settings, { timeoutMs: 4_000 });
  await redis.infoComesToHave('aof_rewrite_in_progress:1');
  await redis.shell(killRewrite);
  await t.throwsAsync(switching, { message: /could not write/ });
  t.true(await redis.infoHas('aof_enabled:0'));
  t.false(await redis.isKept());
});
