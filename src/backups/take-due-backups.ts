/**
 * Backups by schedule: a duty of housekeeping.
 *
 * Guarantees: a time that has come is taken once, whichever servers look (moving the instance's next time
 * on is a compare-and-set in the transaction that queues the backup); times that were missed are made up
 * for by one backup, not many. An instance that does not serve is waited for. Where the plan has no place
 * left, a scheduled backup takes that of its instance's oldest one; the only one stays beside it.
 */
import { lockOrganization, type Reservation, reserveBackup } from '../instances/quotas.ts';
import type { InstanceServices } from '../instances/services.ts';
import { servingStatuses } from '../instances/states.ts';
import { nextTime } from '../lib/cron.ts';
import { AppError } from '../lib/errors.ts';
import type { EntityManager } from '../store/database.ts';
import { BackupEntity } from '../store/entities/backup.ts';
import { type Instance, InstanceEntity } from '../store/entities/instance.ts';
import { isUnderWay, queueBackup } from './create-backup.ts';
import { markDeleting } from './delete-backup.ts';
import { findRestored } from './retention.ts';
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
    const refusal = await findRefusal(tx, await lockOrganization(tx, organizationId));
    const isPlaced = !refusal || (await makePlace(tx, id));
    const backup = queueBackup(tx, instance, 'scheduled', now);
    if (!isPlaced) {
      // Its owner sees in the list that there was no place for it.
      const reason = { errorCode: refusal.code, errorMessage: refusal.message, finishedAt: now };
      Object.assign(backup, { status: 'FAILED', ...reason });
    }
    await tx.flush();
    return backup.status === 'QUEUED';
  });
}

async function findRefusal(
  tx: EntityManager,
  reservation: Reservation,
): Promise<AppError | undefined> {
  try {
    await reserveBackup(tx, reservation);
    return undefined;
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}

/** Gives up the oldest scheduled backup of an instance for its next. Gives false where it has none. */
async function makePlace(tx: EntityManager, instanceId: string): Promise<boolean> {
  const where = { instanceId, kind: 'scheduled', status: 'AVAILABLE' } as const;
  const oldestFirst = await tx.find(BackupEntity, where, { orderBy: { createdAt: 1, id: 1 } });
  const restored = await findRestored(tx);
  // The newest stays until its successor is there, which may fail.
  const oldest = oldestFirst.slice(0, -1).find(({ id }) => !restored.has(id));
  if (oldest) markDeleting(oldest);
  return oldestFirst.length > 0;
}
