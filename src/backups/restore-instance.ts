/** Restoring a backup into an instance that exists; a new one takes `fromBackup` where it is created. */
import type { Caller } from '../accounts/caller.ts';
import { recordChange } from '../audit/record.ts';
import { queueOperation, supersedeOpenOperations } from '../instances/operations.ts';
import { lockOwnInstance } from '../instances/ownership.ts';
import { lockOrganization, reserveOperation } from '../instances/quotas.ts';
import { lockRestoreSource } from '../instances/restore-source.ts';
import type { InstanceServices } from '../instances/services.ts';
import { renewWish, servesData } from '../instances/states.ts';
import { AppError } from '../lib/errors.ts';
import type { EntityManager } from '../store/database.ts';
import type { Instance } from '../store/entities/instance.ts';
import type { Operation } from '../store/entities/operation.ts';

/**
 * Wants an instance's data to be those of a backup. What is in it is replaced; keys, settings and the
 * connection string stay, connections drop. A stopped instance starts by it.
 * @throws {AppError} `not_found`, `forbidden`, `state_conflict`, `backup_unusable`, `too_many_operations`.
 */
export async function restoreInstance(
  { orm, clock, provisioner }: InstanceServices,
  caller: Caller,
  instanceId: string,
  backupId: string,
): Promise<{ instance: Instance; operation: Operation }> {
  const em = orm.em.fork() as EntityManager;
  const restoring = await em.transactional(async (tx) => {
    const instance = await lockOwnInstance(tx, caller, instanceId, 'developer');
    requireRestorable(instance);
    const { organizationId } = instance;
    const now = clock.now();
    const reservation = await lockOrganization(tx, organizationId);
    const backup = await lockRestoreSource(tx, instance, backupId);
    await supersedeOpenOperations(tx, instanceId, now);
    await reserveOperation(tx, reservation);
    instance.power = 'on';
    // What serves goes on until the backup was checked and its data are replaced.
    if (!servesData(instance.status)) instance.status = 'RESTARTING';
    renewWish(instance, now);
    const { generation } = instance;
    instance.restoreBackupId = backup.id;
    instance.restoreGeneration = generation;
    const operation = queueOperation(tx, instance, 'restore', now);
    const details = { backupId, operationId: operation.id };
    const action = 'instance.restore';
    recordChange(tx, caller, now, { organizationId, action, targetId: instanceId, details });
    await tx.flush();
    return { instance, operation };
  });
  provisioner.wake();
  return restoring;
}

function requireRestorable({ status, nodeHost, organizationId }: Instance): void {
  if (servesData(status) || status === 'STOPPED') return;
  if (status === 'FAILED' && nodeHost !== null) return;
  const message = `The instance is ${status}; it is restored while it is RUNNING or STOPPED.`;
  throw new AppError('state_conflict', message, { organizationId });
}
