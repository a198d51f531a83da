import type { Readable } from 'node:stream';
import type { Caller } from '../accounts/caller.ts';
import type { InstanceServices } from '../instances/services.ts';
import { AppError } from '../lib/errors.ts';
import type { EntityManager } from '../store/database.ts';
import type { Backup } from '../store/entities/backup.ts';
import { recordBackup } from './create-backup.ts';
import { findOwnBackup } from './read-backups.ts';
import type { BackupPorts } from './services.ts';

/**
 * Gives a backup's RDB file to an admin, and notes that its data left.
 * @throws {AppError} `not_found`, `forbidden`, `backup_unusable`, `backup_invalid`, `backup_store_unreachable`.
 */
export async function openDownload(
  { orm, clock, vault }: InstanceServices & Pick<BackupPorts, 'vault'>,
  caller: Caller,
  backupId: string,
): Promise<{ backup: Backup; rdb: Readable }> {
  const em = orm.em.fork() as EntityManager;
  const backup = await findOwnBackup(em, caller, backupId, 'admin');
  const { status, organizationId } = backup;
  if (status !== 'AVAILABLE') {
    const message = `The backup is ${status}, not AVAILABLE.`;
    throw new AppError('backup_unusable', message, { organizationId });
  }
  const rdb = await vault.open(backup);
  recordBackup(em, caller, clock.now(), backup, 'backup.download');
  await em.flush();
  return { backup, rdb };
}
