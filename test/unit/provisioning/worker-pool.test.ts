import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { pollUntil } from '../../../src/lib/retry.ts';
import { deadlines } from '../../../src/provisioning/deadlines.ts';
import type { WorkerSettings } from '../../../src/provisioning/messages.ts';
import { listProcessesIn } from '../../../src/provisioning/worker-folders.ts';
import { createWorkerPool, RunError } from '../../../src/provisioning/worker-pool.ts';
import { temporaryFolder } from '../../support/folders.ts';
import { captureLog } from '../../support/log-lines.ts';
import { testConfig } from '../../support/test-config.ts';

const workerFile = fileURLToPath(new URL('./fake-worker.ts', import.meta.url));

function startPool(t: ExecutionContext) {
  const config = testConfig({
    SWIFTCACHE_DATA_DIR: temporaryFolder(t),
    SWIFTCACHE_WORKERS: '1',
    PATH: process.env.PATH ?? '',
  });
  const settings = { pulumiBinDir: '', pulumiHome: '', dockerHost: '' } as WorkerSettings;
  const pool = createWorkerPool(config, settings, captureLog().logger, workerFile);
  t.teardown(() => pool.close());
  return pool;
}

function jobOf(stack: string) {
  return { kind: 'destroy', stack, recover: false, hasData: false, forget: false } as const;
}

test.serial(
  'a run that hangs is ended with all that it started, and the next one has a worker',
  async (t) => {
    const pool = startPool(t);
    const { outputs } = await pool.run(jobOf('answers'), () => {});
    const folder = String(outputs.folder);
    const beganMs = performance.now();
    const error = await t.throwsAsync(
      pool.run(jobOf('hangs'), () => {}),
      { instanceOf: RunError },
    );
    t.true((error as RunError).failure.timedOut);
    t.true(listProcessesIn(folder).length >= 2);
    t.not((await pool.run(jobOf('answers'), () => {})).outputs.folder, folder);

    const options = { timeoutMs: 2 * deadlines.interruptGraceMs, intervalMs: 50 };
    await pollUntil(async () => !existsSync(folder) || undefined, options);
    t.deepEqual(listProcessesIn(folder), []);
    t.true(performance.now() - beganMs >= deadlines.interruptGraceMs, 'it had its time to end');
  },
);

test.serial(
  'a run may begin only while its giver says so, and not where it cannot say',
  async (t) => {
    const pool = startPool(t);
    const ask = async (mayBegin?: () => Promise<boolean>) => {
      const { outputs } = await pool.run(jobOf('asks'), () => {}, mayBegin ? { mayBegin } : {});
      return outputs.isGiven;
    };
    t.true(await ask());
    t.true(await ask(async () => true));
    t.false(await ask(async () => false));
    t.false(await ask(() => Promise.reject(new Error('the database does not answer'))));
  },
);

test.serial('who waits for a run, or for its turn, is told that it is under way', async (t) => {
  const pool = startPool(t);
  let beats = 0;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const first = pool.run(jobOf('asks'), () => {}, { mayBegin: () => promise });
  const second = pool.run(jobOf('answers'), () => {}, { onAlive: () => (beats += 1) });
  await pollUntil(async () => beats > 0 || undefined, { timeoutMs: 10_000, intervalMs: 50 });
  resolve(true);
  await Promise.all([first, second]);
  t.pass();
});
