import type { Caller } from '../accounts/account-keys.ts';
import { AppError } from '../lib/errors.ts';
import type { EntityManager } from '../store/database.ts';
import type { Instance } from '../store/entities/instance.ts';
import type { Operation } from '../store/entities/operation.ts';
import { pickNodePort } from './node-ports.ts';
import { queueOperation } from './operations.ts';
import { findOwnInstance, lockOwnInstance } from './ownership.ts';
import type { InstanceServices } from './services.ts';
import { renewWish } from './states.ts';

/**
 * Tries a FAILED instance again. It gets a new port when its old one was taken, and the image of today
 * when it never ran: what may have failed it is not kept.
 * @throws {AppError} `not_found`, `state_conflict` unless FAILED, `no_free_port`.
 */
export async function retryInstance(
  services: InstanceServices,
  caller: Caller,
  instanceId: string,
): Promise<{ instance: Instance; operation: Operation }> {
  const em = services.orm.em.fork() as EntityManager;
  const { region, failureCode } = await findOwnInstance(em, caller, instanceId);
  const newPort =
    failureCode === 'port_in_use'
      ? await pickNodePort(em, region, services.config.instancePorts)
      : undefined;
  em.clear();
  const retried = await em.transactional(async (tx) => {
    const instance = await lockOwnInstance(tx, caller, instanceId);
    if (instance.status !== 'FAILED') {
      throw new AppError('state_conflict', `The instance is ${instance.status}, not FAILED.`);
    }
    const now = services.clock.now();
    instance.status = 'PROVISIONING';
    renewWish(instance, now);
    instance.failureCode = null;
    instance.failureMessage = null;
    if (newPort !== undefined) instance.nodePort = newPort;
    if (instance.nodeHost === null) instance.image = services.config.redisImage;
    const operation = queueOperation(tx, instance, 'retry', now);
    await tx.flush();
    return { instance, operation };
  });
  services.provisioner.wake();
  return retried;
}
