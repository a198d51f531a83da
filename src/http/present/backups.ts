import type { Backup } from '../../store/entities/backup.ts';
import type { Instance } from '../../store/entities/instance.ts';
import type { backupSchema, shownBackupRuleSchema } from '../schemas/backups.ts';
import { presentFailure, type Shown } from './failure.ts';

export function presentBackup(backup: Backup): Shown<typeof backupSchema> {
  return {
    id: backup.id,
    organizationId: backup.organizationId,
    instanceId: backup.instanceId,
    kind: backup.kind,
    status: backup.status as Shown<typeof backupSchema>['status'],
    sizeBytes: backup.sizeBytes ?? null,
    sha256: backup.sha256 ?? null,
    keyCount: backup.keyCount ?? null,
    memoryBytes: backup.memoryBytes ?? null,
    redisVersion: backup.redisVersion ?? null,
    error: presentFailure(backup.errorCode, backup.errorMessage),
    createdAt: backup.createdAt.toISOString(),
    finishedAt: backup.finishedAt?.toISOString() ?? null,
    verifiedAt: backup.verifiedAt?.toISOString() ?? null,
  };
}

type RuleColumns = Pick<
  Instance,
  'backupSchedule' | 'backupKeepCount' | 'backupKeepDays' | 'backupNextAt'
>;

/** An instance's backups by schedule; null where none are taken. */
export function presentBackupRule(
  instance: RuleColumns,
): Shown<typeof shownBackupRuleSchema> | null {
  const { backupSchedule, backupKeepCount, backupKeepDays, backupNextAt } = instance;
  if (!backupSchedule || !backupKeepCount) return null;
  return {
    schedule: backupSchedule,
    keepCount: backupKeepCount,
    keepDays: backupKeepDays ?? null,
    nextAt: backupNextAt?.toISOString() ?? null,
  };
}
