import type { Caller } from '../accounts/caller.ts';
import { recordChange } from '../audit/record.ts';
import { AppError } from '../lib/errors.ts';
import type { EntityManager } from '../store/database.ts';
import type { Instance, InstanceStatus } from '../store/entities/instance.ts';
import type { Operation } from '../store/entities/operation.ts';
import { withFreePort } from './node-ports.ts';
import { queueOperation } from './operations.ts';
import { findOwnInstance, lockOwnInstance } from './ownership.ts';
import { lockOrganization, reserveOperation } from './quotas.ts';
import type { InstanceServices } from './services.ts';
import { isGivenUp, renewWish } from './states.ts';

/**
 * Tries again what was given up. It gets a new port when its old one was taken, and the image of today
 * when it never ran: what may have failed it is not kept.
 * @throws {AppError} `not_found`, `state_conflict` unless something failed, `too_many_operations`, `no_free_port`.
 */
export async function retryInstance(
  services: InstanceServices,
  caller: Caller,
  instanceId: string,
): Promise<{ instance: Instance; operation: Operation }> {
  const { orm, config, provisioner } = services;
  const em = orm.em.fork() as EntityManager;
  const { region, failureCode } = await findOwnInstance(em, caller, instanceId, 'developer');
  const write = (newPort?: number) => writeRetry(services, caller, instanceId, newPort);
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
  newPort: number | undefined,
): Promise<{ instance: Instance; operation: Operation }> {
  const em = orm.em.fork() as EntityManager;
  return await em.transactional(async (tx) => {
    const instance = await lockOwnInstance(tx, caller, instanceId, 'developer');
    const { organizationId } = instance;
    if (!isGivenUp(instance)) {
      const message = `The instance is ${instance.status}; nothing of it has failed.`;
      throw new AppError('state_conflict', message, { organizationId });
    }
    const now = clock.now();
    await reserveOperation(tx, await lockOrganization(tx, organizationId));
    if (instance.status === 'FAILED') instance.status = statusOfRetry(instance);
    renewWish(instance, now);
    if (newPort !== undefined) instance.nodePort = newPort;
    if (instance.nodeHost === null) instance.image = config.redisImage;
    const operation = queueOperation(tx, instance, 'retry', now);
    const details = { operationId: operation.id };
    const action = 'instance.retry';
    recordChange(tx, caller, now, { organizationId, action, targetId: instanceId, details });
    await tx.flush();
    return { instance, operation };
  });
}

/** What never ran is provisioned anew; what did is brought to the power that is wanted. */
function statusOfRetry({ nodeHost, power }: Instance): InstanceStatus {
  if (nodeHost === null) return 'PROVISIONING';
  return power === 'off' ? 'STOPPING' : 'STARTING';
}
