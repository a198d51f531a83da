/** Backups on demand: a row that the runner makes real. */
import type { Caller } from '../accounts/caller.ts';
import { recordChange } from '../audit/record.ts';
import { lockOwnInstance } from '../instances/ownership.ts';
import { lockOrganization, reserveBackup } from '../instances/quotas.ts';
import type { InstanceServices } from '../instances/services.ts';
import { servesData } from '../instances/states.ts';
import { AppError } from '../lib/errors.ts';
import { newId } from '../lib/ids.ts';
import type { EntityManager } from '../store/database.ts';
import { type Backup, BackupEntity, type BackupKind } from '../store/entities/backup.ts';
import type { Instance } from '../store/entities/instance.ts';
import type { BackupPorts } from './services.ts';

/** What has not ended yet. */
const openStatuses = ['QUEUED', 'RUNNING'] as const;

/**
 * Wants a backup of a running instance; Redis goes on meanwhile.
 * @throws {AppError} `not_found`, `forbidden`, `state_conflict` unless the instance serves and no other
 * backup of it is under way, `quota_exceeded`.
 */
export async function createBackup(
  { orm, clock, backupRunner }: InstanceServices & Pick<BackupPorts, 'backupRunner'>,
  caller: Caller,
  instanceId: string,
): Promise<Backup> {
  const em = orm.em.fork() as EntityManager;
  const backup = await em.transactional(async (tx) => {
    const instance = await lockOwnInstance(tx, caller, instanceId, 'developer');
    requireServing(instance);
    await requireNoneUnderWay(tx, instance);
    await reserveBackup(tx, await lockOrganization(tx, instance.organizationId));
    const now = clock.now();
    const queued = queueBackup(tx, instance, 'manual', now);
    recordBackup(tx, caller, now, queued, 'backup.create');
    await tx.flush();
    return queued;
  });
  backupRunner.wake();
  return backup;
}

/** Adds a queued backup of an instance to the unit of work. */
export function queueBackup(
  em: EntityManager,
  { id, organizationId }: Instance,
  kind: BackupKind,
  now: Date,
): Backup {
  return em.create(BackupEntity, {
    id: newId('bkp'),
    organizationId,
    instanceId: id,
    kind,
    status: 'QUEUED',
    createdAt: now,
    leaseExpiresAtMs: 0,
  });
}

/** Notes what is done with a backup in the audit log, in the transaction that does it. */
export function recordBackup(
  em: EntityManager,
  caller: Caller,
  now: Date,
  { id, organizationId, instanceId, kind }: Backup,
  action: string,
): void {
  const details = { instanceId, kind };
  recordChange(em, caller, now, { organizationId, action, targetId: id, details });
}

/** Whether a backup of an instance is being taken. */
export async function isUnderWay(em: EntityManager, instanceId: string): Promise<boolean> {
  const status = { $in: [...openStatuses] };
  const kind = { $ne: 'import' as const };
  return (await em.count(BackupEntity, { instanceId, status, kind })) > 0;
}

function requireServing({ status, organizationId }: Instance): void {
  if (servesData(status)) return;
  const message = `The instance is ${status}; a backup is taken of one that is RUNNING.`;
  throw new AppError('state_conflict', message, { organizationId });
}

async function requireNoneUnderWay(
  em: EntityManager,
  { id, organizationId }: Instance,
): Promise<void> {
  if (!(await isUnderWay(em, id))) return;
  const message = 'Another backup of the instance is under way.';
  throw new AppError('state_conflict', message, { organizationId });
}
