import type { Caller } from '../accounts/caller.ts';
import { recordChange } from '../audit/record.ts';
import { AppError } from '../lib/errors.ts';
import type { EntityManager } from '../store/database.ts';
import type { Instance } from '../store/entities/instance.ts';
import { type Operation, OperationEntity } from '../store/entities/operation.ts';
import { queueOperation, supersedeOpenOperations } from './operations.ts';
import { lockOwnInstance } from './ownership.ts';
import type { InstanceServices } from './services.ts';
import { renewWish } from './states.ts';

/**
 * Wants an instance gone, in whatever state it is. A second call gives the first one's operation. Protection
 * does not stop an operator, whose run has destroyed it already.
 * @param requireStill looks once more under the lock, and throws where the reason is gone.
 * @throws {AppError} `not_found`, `forbidden`, `deletion_protected`.
 */
export async function deleteInstance(
  services: Pick<InstanceServices, 'orm' | 'clock' | 'provisioner'>,
  caller: Caller,
  instanceId: string,
  requireStill: (instance: Instance) => void = () => {},
): Promise<{ instance: Instance; operation: Operation }> {
  const em = services.orm.em.fork() as EntityManager;
  const deleting = await em.transactional(async (tx) => {
    const instance = await lockOwnInstance(tx, caller, instanceId, 'developer');
    if (instance.desired === 'absent') {
      const operation = await tx.findOneOrFail(OperationEntity, { instanceId, kind: 'delete' });
      return { instance, operation };
    }
    requireStill(instance);
    const { organizationId } = instance;
    const isDestroyed = caller.kind === 'operator';
    if (instance.deletionProtection && !isDestroyed) {
      throw new AppError('deletion_protected', undefined, { organizationId });
    }
    const now = services.clock.now();
    await supersedeOpenOperations(tx, instanceId, now);
    instance.desired = 'absent';
    instance.status = 'DELETING';
    renewWish(instance, now);
    const operation = queueOperation(tx, instance, 'delete', now);
    const via = isDestroyed ? { via: 'pulumi destroy' } : {};
    const details = { name: instance.name, operationId: operation.id, ...via };
    const action = 'instance.delete';
    recordChange(tx, caller, now, { organizationId, action, targetId: instanceId, details });
    await tx.flush();
    return { instance, operation };
  });
  services.provisioner.wake();
  return deleting;
}
