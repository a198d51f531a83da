/** The runner: of what failed no file stays, and no try goes on for ever. */
import test from 'ava';
import { readUsage } from '../../../../src/instances/quotas.ts';
import { createLogger } from '../../../../src/lib/logger.ts';
import { pollUntil } from '../../../../src/lib/retry.ts';
import { createBackupRunner, withinTime } from '../../../../src/provisioning/backups/runner.ts';
import type { BackupServices } from '../../../../src/provisioning/backups/take-backup.ts';
import type { EntityManager } from '../../../../src/store/database.ts';
import { BackupEntity } from '../../../../src/store/entities/backup.ts';
import { createTestClock } from '../../../support/clock.ts';
import { testOnEachDatabase } from '../../../support/databases.ts';
import { addBackup, addInstance, readBackup } from '../../../support/rows.ts';
import { testConfig } from '../../../support/test-config.ts';
import { createMemoryStore, createTestVault } from '../../../support/vault.ts';

testOnEachDatabase(
  'the file of a backup that failed goes, and takes a place until then',
  async (t, orm) => {
    const store = createMemoryStore();
    const clock = createTestClock();
    const instance = await addInstance(orm);
    const location = 'an/object';
    const { id } = await addBackup(orm, instance, { kind: 'import', status: 'RUNNING', location });
    store.objects.set(location, Buffer.from('what was refused'));
    const used = async () =>
      (await readUsage(orm.em.fork() as EntityManager, instance.organizationId)).backups;
    let isStoreDown = true;
    const vault = createTestVault({
      ...store,
      async remove(name) {
        if (isStoreDown) throw new Error('down');
        await store.remove(name);
      },
    });
    const runner = createBackupRunner({
      orm,
      clock,
      config: testConfig(),
      logger: createLogger('silent'),
      vault,
      installationId: 'i',
      owner: 'host:1:1',
      isGone: () => false,
    } as unknown as BackupServices);
    await runner.start();
    t.teardown(() => runner.stop());
    const until = (isSo: () => Promise<boolean>) =>
      pollUntil(async () => (await isSo()) || undefined, { timeoutMs: 30_000, intervalMs: 20 });
    await until(async () => (await readBackup(orm, id))?.status === 'FAILED');
    t.is(await used(), 1);
    isStoreDown = false;
    await until(async () => {
      clock.advance(61_000);
      runner.wake();
      return (await readBackup(orm, id))?.location === null;
    });
    t.is(store.objects.size, 0);
    t.is(await used(), 0);
    t.like(await readBackup(orm, id), { status: 'FAILED', errorCode: 'backup_invalid' });
    t.is(await orm.em.fork().count(BackupEntity, { leaseExpiresAtMs: { $gt: 0 } }), 0);
  },
);

test('a try that does not end is told so and not waited for', async (t) => {
  let isTold = false;
  const work = (late: AbortSignal): Promise<never> => {
    late.addEventListener('abort', () => (isTold = true));
    return new Promise(() => {});
  };
  await t.throwsAsync(withinTime(work, 50), { message: /did not end within 50 ms/ });
  t.true(isTold);
});
