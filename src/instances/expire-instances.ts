import { systemCaller } from '../accounts/caller.ts';
import { AppError } from '../lib/errors.ts';
import { InstanceEntity } from '../store/entities/instance.ts';
import { deleteInstance } from './delete-instance.ts';
import type { InstanceServices } from './services.ts';

/** How many are begun in one round; the others follow in the next. */
const batchMax = 50;

/**
 * Deletes the instances whose time has come, as their owners would. One that is protected against deletion
 * stays.
 */
export async function expireInstances(services: InstanceServices): Promise<void> {
  const due = await services.orm.em.fork().find(
    InstanceEntity,
    {
      expiresAt: { $lte: services.clock.now() },
      desired: 'present',
      deletionProtection: false,
    },
    { limit: batchMax, orderBy: { expiresAt: 1 }, fields: ['id', 'organizationId'] },
  );
  for (const { id, organizationId } of due) {
    try {
      await deleteInstance(services, systemCaller(organizationId), id, ({ expiresAt }) => {
        if (!expiresAt || expiresAt > services.clock.now()) throw new AppError('state_conflict');
      });
    } catch (error) {
      // Somebody deleted, protected or prolonged it since the look.
      if (!(error instanceof AppError)) throw error;
    }
  }
}
