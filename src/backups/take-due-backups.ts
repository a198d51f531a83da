/**
 * Backups by schedule: a duty of housekeeping.
 *
 * Guarantees: a time that has come is taken once, whichever servers look (moving the instance's next time
 * on is a compare-and-set in the transaction that queues the backup); times that were missed are made up
 * for by one backup, not many. An instance that does not serve is waited for.
 */
import { lockOrganization, reserveBackup } from '../instances/quotas.ts';
import type { InstanceServices } from '../instances/services.ts';
import { servingStatuses } from '../instances/states.ts';
import { nextTime } from '../lib/cron.ts';
import { AppError } from '../lib/errors.ts';
import type { EntityManager } from '../store/database.ts';
import { type Instance, InstanceEntity } from '../store/entities/instance.ts';
import { isUnderWay, queueBackup } from './create-backup.ts';
import type { BackupPorts } from './services.ts';

/** How many are queued in one round; the others follow in the next. */
const batchMax = 50;

type DueServices = Pick<InstanceServices, 'orm' | 'clock'> & Pick<BackupPorts, 'backupRunner'>;

/** Queues the scheduled backups whose time has come. */
export async function takeDueBackups(services: DueServices): Promise<void> {
  const { orm, clock, backupRunner } = services;
  const due = await orm.em.fork().find(
    InstanceEntity,
    {
      backupNextAt: { $lte: clock.now() },
      desired: 'present',
      status: { $in: [...servingStatuses] },
    },
    { limit: batchMax, orderBy: { backupNextAt: 1 } },
  );
  let taken = 0;
  for (const instance of due) taken += (await takeDue(services, instance)) ? 1 : 0;
  if (taken > 0) backupRunner.wake();
}

async function takeDue({ orm, clock }: DueServices, instance: Instance): Promise<boolean> {
  const { id, organizationId, backupNextAt, backupSchedule } = instance;
  const em = orm.em.fork() as EntityManager;
  return await em.transactional(async (tx) => {
    const now = clock.now();
    const next = backupSchedule ? nextTime(backupSchedule, now) : null;
    const moved = await tx.nativeUpdate(
      InstanceEntity,
      { id, backupNextAt: backupNextAt ?? null, desired: 'present' },
      { backupNextAt: next },
    );
    if (moved === 0 || !backupSchedule) return false;
    // The one under way is as new as another would be.
    if (await isUnderWay(tx, id)) return false;
    const reservation = await lockOrganization(tx, organizationId);
    const backup = queueBackup(tx, instance, 'scheduled', now);
    try {
      await reserveBackup(tx, reservation);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      // Its owner sees in the list that there was no place for it.
      const reason = { errorCode: error.code, errorMessage: error.message, finishedAt: now };
      Object.assign(backup, { status: 'FAILED', ...reason });
    }
    await tx.flush();
    return backup.status === 'QUEUED';
  });
}
