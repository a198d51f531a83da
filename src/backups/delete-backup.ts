import type { Caller } from '../accounts/caller.ts';
import type { InstanceServices } from '../instances/services.ts';
import { AppError } from '../lib/errors.ts';
import type { EntityManager } from '../store/database.ts';
import type { Backup } from '../store/entities/backup.ts';
import { InstanceEntity } from '../store/entities/instance.ts';
import { recordBackup } from './create-backup.ts';
import { findOwnBackup } from './read-backups.ts';
import type { BackupPorts } from './services.ts';

/**
 * Wants a backup gone: it is gone for everybody at once, and from the store as soon as that answers.
 * @throws {AppError} `not_found`, `forbidden`, `state_conflict` while it is being restored.
 */
export async function deleteBackup(
  { orm, clock, backupRunner }: InstanceServices & Pick<BackupPorts, 'backupRunner'>,
  caller: Caller,
  backupId: string,
): Promise<void> {
  const em = orm.em.fork() as EntityManager;
  await em.transactional(async (tx) => {
    const backup = await findOwnBackup(tx, caller, backupId, 'developer', { lock: true });
    await requireUnused(tx, backup);
    const now = clock.now();
    markDeleting(backup);
    recordBackup(tx, caller, now, backup, 'backup.delete');
    await tx.flush();
  });
  backupRunner.wake();
}

/**
 * Whoever works on it loses its hold on it by the epoch. The runner removes it when that hold would have
 * run out: by then nobody puts a file there any more.
 */
export function markDeleting(backup: Backup): void {
  backup.status = 'DELETING';
  backup.leaseOwner = null;
  backup.leaseEpoch += 1;
  backup.attempts = 0;
}

async function requireUnused(em: EntityManager, { id, organizationId }: Backup): Promise<void> {
  const waiting = await em.find(
    InstanceEntity,
    { restoreBackupId: id, desired: 'present' },
    { fields: ['id', 'restoreGeneration', 'appliedGeneration'] },
  );
  if (waiting.every((row) => row.restoreGeneration <= row.appliedGeneration)) return;
  const message = 'The backup is being restored into an instance.';
  throw new AppError('state_conflict', message, { organizationId });
}
