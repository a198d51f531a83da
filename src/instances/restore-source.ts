/** Which backup an instance is restored from: a rule of instances, whether they are new or not. */
import { LockMode } from '@mikro-orm/core';
import { AppError } from '../lib/errors.ts';
import { idPattern } from '../lib/ids.ts';
import type { EntityManager } from '../store/database.ts';
import { type Backup, BackupEntity } from '../store/entities/backup.ts';

const backupIdPattern = idPattern('bkp');
/** The data of an instance that was full may take a little more room when they are loaded. */
const tolerance = 1.05;

/** What data are to be restored into. */
interface Target {
  readonly organizationId: string;
  readonly maxMemoryBytes: number;
}

/**
 * Finds the backup that an instance is to be restored from, under lock: while it is wanted, nobody deletes it.
 * @throws {AppError} `not_found` for one of another organization, `backup_unusable`.
 */
export async function lockRestoreSource(
  tx: EntityManager,
  { organizationId, maxMemoryBytes }: Target,
  backupId: string,
): Promise<Backup> {
  const backup = backupIdPattern.test(backupId)
    ? await tx.findOne(
        BackupEntity,
        { id: backupId, organizationId, status: { $ne: 'DELETING' } },
        { lockMode: LockMode.PESSIMISTIC_WRITE },
      )
    : null;
  if (!backup) throw new AppError('not_found', 'There is no such backup.', { organizationId });
  if (backup.status !== 'AVAILABLE') {
    const message = `The backup is ${backup.status}, not AVAILABLE.`;
    throw new AppError('backup_unusable', message, { organizationId });
  }
  requireFits(backup.memoryBytes ?? 0, { organizationId, maxMemoryBytes });
  return backup;
}

/** A restore that Redis would begin to evict from at once is none. @throws {AppError} `backup_unusable`. */
export function requireFits(memoryBytes: number, { organizationId, maxMemoryBytes }: Target): void {
  if (memoryBytes <= maxMemoryBytes * tolerance) return;
  const message = `The data need ${memoryBytes} bytes; maxMemory is ${maxMemoryBytes}.`;
  const limit = { name: 'maxMemoryBytes', limit: maxMemoryBytes, used: 0, requested: memoryBytes };
  throw new AppError('backup_unusable', message, { organizationId, limit });
}
