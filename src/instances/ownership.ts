/**
 * Whose things are whose. What belongs to another organization and what does not exist give the same
 * answer, byte for byte, so nobody learns what others have.
 */
import type { Caller } from '../accounts/account-keys.ts';
import { AppError } from '../lib/errors.ts';
import type { EntityManager } from '../store/database.ts';
import { type Instance, InstanceEntity } from '../store/entities/instance.ts';

/** @throws {AppError} `not_found` unless the caller belongs to the organization. */
export function requireOrganization(caller: Caller, organizationId: string): void {
  if (caller.organizationId !== organizationId) {
    throw new AppError('not_found', 'There is no such organization.');
  }
}

/** Finds a live instance of the caller's. @throws {AppError} `not_found`. */
export async function findOwnInstance(
  em: EntityManager,
  caller: Caller,
  instanceId: string,
): Promise<Instance> {
  const instance = await em.findOne(InstanceEntity, {
    id: instanceId,
    organizationId: caller.organizationId,
    status: { $ne: 'DELETED' },
  });
  if (!instance) throw new AppError('not_found', 'There is no such instance.');
  return instance;
}
