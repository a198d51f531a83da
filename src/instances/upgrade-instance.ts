/**
 * Upgrading an instance: another Redis image over the same volume.
 *
 * Guarantees: a persistent instance keeps its data (Redis saves it before its container ends), its keys,
 * its port and its connection string; where the new image does not come to answer, the reconciler takes
 * the instance back to the image it had. Going to an older image is the same wish with another reference.
 */
import type { Caller } from '../accounts/caller.ts';
import { recordChange } from '../audit/record.ts';
import { AppError } from '../lib/errors.ts';
import type { EntityManager } from '../store/database.ts';
import type { Instance } from '../store/entities/instance.ts';
import type { Operation } from '../store/entities/operation.ts';
import { queueOperation, supersedeOpenOperations } from './operations.ts';
import { lockOwnInstance } from './ownership.ts';
import { lockOrganization, reserveOperation } from './quotas.ts';
import type { InstanceServices } from './services.ts';
import { renewWish, servesData } from './states.ts';

/** How much of a digest names an image to people. */
const shortDigest = /sha256:[0-9a-f]{12}/;

/** An image reference as it is shown: its digest alone, for a registry's address is the operator's. */
export function shortImage(image: string): string | null {
  return shortDigest.exec(image)?.[0] ?? null;
}

/** Whether the service offers another image than the instance has. */
export function isUpgradeAvailable({ image }: Pick<Instance, 'image'>, offered: string): boolean {
  return offered !== '' && image !== offered;
}

/**
 * Wants an instance on another image. Connections drop once; without persistence the data ends.
 * @param image the image to take; that of today where none is given.
 * @throws {AppError} `not_found`, `forbidden`, `state_conflict` unless it runs and has another image,
 * `too_many_operations`.
 */
export async function upgradeInstance(
  services: Pick<InstanceServices, 'orm' | 'clock' | 'config' | 'provisioner'>,
  caller: Caller,
  instanceId: string,
  image: string = services.config.redisImage,
): Promise<{ instance: Instance; operation: Operation }> {
  const em = services.orm.em.fork() as EntityManager;
  const upgraded = await em.transactional(async (tx) => {
    const instance = await lockOwnInstance(tx, caller, instanceId, 'developer');
    const { organizationId, image: from } = instance;
    requireUpgradable(instance, image);
    const now = services.clock.now();
    await supersedeOpenOperations(tx, instanceId, now);
    await reserveOperation(tx, await lockOrganization(tx, organizationId));
    instance.image = image;
    renewWish(instance, now);
    const operation = queueOperation(tx, instance, 'upgrade', now);
    const details = { operationId: operation.id, from: shortImage(from), to: shortImage(image) };
    const action = 'instance.upgrade';
    recordChange(tx, caller, now, { organizationId, action, targetId: instanceId, details });
    await tx.flush();
    return { instance, operation };
  });
  services.provisioner.wake();
  return upgraded;
}

function requireUpgradable(instance: Instance, image: string): void {
  const { organizationId, status } = instance;
  if (!servesData(status)) {
    const message = `The instance is ${status}; it takes another image only while it is RUNNING.`;
    throw new AppError('state_conflict', message, { organizationId });
  }
  if (isUpgradeAvailable(instance, image)) return;
  const message = 'The instance has the image that the service offers already.';
  throw new AppError('state_conflict', message, { organizationId });
}
