/** Stop, start and restart: the wishes about an instance's power. */
import type { Caller } from '../accounts/caller.ts';
import { recordChange } from '../audit/record.ts';
import { AppError } from '../lib/errors.ts';
import type { EntityManager } from '../store/database.ts';
import type { Instance, InstanceStatus } from '../store/entities/instance.ts';
import type { Operation } from '../store/entities/operation.ts';
import { queueOperation, supersedeOpenOperations } from './operations.ts';
import { lockOwnInstance } from './ownership.ts';
import { lockOrganization, reserveOperation } from './quotas.ts';
import type { InstanceServices } from './services.ts';
import { renewWish, servingStatuses } from './states.ts';

export type PowerChange = 'stop' | 'start' | 'restart';

/** From which states each wish may come, what it wants, and what the instance is called meanwhile. */
const changes: Readonly<
  Record<
    PowerChange,
    { from: readonly InstanceStatus[]; power: 'on' | 'off'; meanwhile: InstanceStatus }
  >
> = {
  stop: { from: servingStatuses, power: 'off', meanwhile: 'STOPPING' },
  start: { from: ['STOPPED'], power: 'on', meanwhile: 'STARTING' },
  restart: { from: servingStatuses, power: 'on', meanwhile: 'RESTARTING' },
};

/**
 * Wants an instance stopped, started or restarted. Without persistence its data ends with the stop;
 * settings and keys stay.
 * @throws {AppError} `not_found`, `forbidden`, `state_conflict`, `too_many_operations`.
 */
export async function changePower(
  services: InstanceServices,
  caller: Caller,
  instanceId: string,
  wish: PowerChange,
): Promise<{ instance: Instance; operation: Operation }> {
  const { from, power, meanwhile } = changes[wish];
  const em = services.orm.em.fork() as EntityManager;
  const changed = await em.transactional(async (tx) => {
    const instance = await lockOwnInstance(tx, caller, instanceId, 'developer');
    const { organizationId, status } = instance;
    if (!from.includes(status)) {
      const message = `The instance is ${status}, not ${from.join(' or ')}.`;
      throw new AppError('state_conflict', message, { organizationId });
    }
    const now = services.clock.now();
    await supersedeOpenOperations(tx, instanceId, now);
    await reserveOperation(tx, await lockOrganization(tx, organizationId));
    instance.power = power;
    instance.status = meanwhile;
    renewWish(instance, now);
    if (wish === 'restart') instance.restartGeneration = instance.generation;
    const operation = queueOperation(tx, instance, wish, now);
    const details = { operationId: operation.id };
    const action = `instance.${wish}`;
    recordChange(tx, caller, now, { organizationId, action, targetId: instanceId, details });
    await tx.flush();
    return { instance, operation };
  });
  services.provisioner.wake();
  return changed;
}
