/**
 * Whose things are whose. What belongs to another organization and what does not exist give the same
 * answer, byte for byte, so nobody learns what others have.
 */
import { LockMode } from '@mikro-orm/core';
import { type Caller, requireRole } from '../accounts/caller.ts';
import type { Role } from '../accounts/roles.ts';
import { AppError } from '../lib/errors.ts';
import { idPattern } from '../lib/ids.ts';
import type { EntityManager } from '../store/database.ts';
import { type Instance, InstanceEntity } from '../store/entities/instance.ts';

const instanceIdPattern = idPattern('inst');

/**
 * Finds a live instance of an organization where the caller has the role that the deed needs.
 * @throws {AppError} `not_found`, `forbidden`.
 */
export async function findOwnInstance(
  em: EntityManager,
  caller: Caller,
  instanceId: string,
  needed: Role,
  options: { lockMode?: LockMode } = {},
): Promise<Instance> {
  // What is no id at all is not asked for: it may hold bytes that a database refuses.
  const instance = instanceIdPattern.test(instanceId)
    ? await em.findOne(
        InstanceEntity,
        {
          id: instanceId,
          organizationId: { $in: [...caller.roles.keys()] },
          status: { $ne: 'DELETED' },
        },
        options,
      )
    : null;
  if (!instance) throw new AppError('not_found', 'There is no such instance.');
  requireRole(caller, instance.organizationId, needed);
  return instance;
}

/**
 * The same within a transaction that is about to change the instance: whoever comes second waits and then
 * sees the change. (The embedded database runs one transaction at a time anyway and drops the lock.)
 */
export async function lockOwnInstance(
  em: EntityManager,
  caller: Caller,
  instanceId: string,
  needed: Role,
): Promise<Instance> {
  const lockMode = LockMode.PESSIMISTIC_WRITE;
  return await findOwnInstance(em, caller, instanceId, needed, { lockMode });
}
