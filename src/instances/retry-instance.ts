import type { Caller } from '../accounts/caller.ts';
import { recordChange } from '../audit/record.ts';
import { AppError } from '../lib/errors.ts';
import type { EntityManager } from '../store/database.ts';
import type { Instance, InstanceStatus } from '../store/entities/instance.ts';
import type { Operation } from '../store/entities/operation.ts';
import { dataIsLost, mayBeginEmpty } from './drift.ts';
import { withFreePort } from './node-ports.ts';
import { queueOperation } from './operations.ts';
import { findOwnInstance, lockOwnInstance } from './ownership.ts';
import { lockOrganization, reserveOperation } from './quotas.ts';
import type { InstanceServices } from './services.ts';
import { isGivenUp, renewWish } from './states.ts';

export interface RetryOptions {
  /** Goes on with whatever volume there is then, where the instance's own is lost. */
  readonly acceptDataLoss: boolean;
}

/**
 * Tries again what was given up, and mends what is DEGRADED whatever its policy. It gets a new port when
 * its old one was taken, and the image of today when it never ran: what may have failed it is not kept.
 * @throws {AppError} `not_found`, `state_conflict` unless something failed or differs, `data_volume_missing`
 * where its data is lost and that is not accepted, `too_many_operations`, `no_free_port`.
 */
export async function retryInstance(
  services: InstanceServices,
  caller: Caller,
  instanceId: string,
  options: RetryOptions,
): Promise<{ instance: Instance; operation: Operation }> {
  const { orm, config, provisioner } = services;
  const em = orm.em.fork() as EntityManager;
  const { region, failureCode } = await findOwnInstance(em, caller, instanceId, 'developer');
  const write = (newPort?: number) => writeRetry(services, caller, instanceId, options, newPort);
  const retried =
    failureCode === 'port_in_use'
      ? await withFreePort(orm, region, config.instancePorts, write)
      : await write();
  provisioner.wake();
  return retried;
}

async function writeRetry(
  { orm, clock, config }: InstanceServices,
  caller: Caller,
  instanceId: string,
  { acceptDataLoss }: RetryOptions,
  newPort: number | undefined,
): Promise<{ instance: Instance; operation: Operation }> {
  const em = orm.em.fork() as EntityManager;
  return await em.transactional(async (tx) => {
    const instance = await lockOwnInstance(tx, caller, instanceId, 'developer');
    const { organizationId } = instance;
    requireFault(instance);
    const isLost = dataIsLost(instance) && !mayBeginEmpty(instance);
    if (isLost && !acceptDataLoss) {
      throw new AppError('data_volume_missing', undefined, { organizationId });
    }
    const now = clock.now();
    await reserveOperation(tx, await lockOrganization(tx, organizationId));
    if (instance.status === 'FAILED') instance.status = statusOfRetry(instance);
    renewWish(instance, now);
    if (isLost) instance.emptyVolumeGeneration = instance.generation;
    if (newPort !== undefined) instance.nodePort = newPort;
    if (instance.nodeHost === null) instance.image = config.redisImage;
    const operation = queueOperation(tx, instance, 'retry', now);
    const details = { operationId: operation.id, ...(isLost && { acceptDataLoss }) };
    const action = 'instance.retry';
    recordChange(tx, caller, now, { organizationId, action, targetId: instanceId, details });
    await tx.flush();
    return { instance, operation };
  });
}

/** What was given up, and what is known to differ while nobody is at it. */
function requireFault(instance: Instance): void {
  const { status, organizationId, generation, appliedGeneration } = instance;
  if (isGivenUp(instance)) return;
  if (status === 'DEGRADED' && appliedGeneration === generation) return;
  const message = `The instance is ${status}; nothing of it has failed.`;
  throw new AppError('state_conflict', message, { organizationId });
}

/** What never ran is provisioned anew; what did is brought to the power that is wanted. */
function statusOfRetry({ nodeHost, power }: Instance): InstanceStatus {
  if (nodeHost === null) return 'PROVISIONING';
  return power === 'off' ? 'STOPPING' : 'STARTING';
}
