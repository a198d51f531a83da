/** Bounds that hold in every plan: on things that cost little, but not nothing. */
import { LockMode } from '@mikro-orm/core';
import { AppError } from '../lib/errors.ts';
import type { EntityManager } from '../store/database.ts';
import { type User, UserEntity } from '../store/entities/user.ts';

export const accountLimits = {
  ownedOrganizations: 10,
  members: 500,
  openInvitations: 100,
  accountKeys: 100,
} as const;

/**
 * Sees to it that there may be one more. To be called under the lock of whoever has them.
 * @throws {AppError} `quota_exceeded`.
 */
export function requireRoom(
  name: keyof typeof accountLimits,
  used: number,
  organizationId?: string,
): void {
  const limit = accountLimits[name];
  if (used < limit) return;
  const message = `There may be ${limit} at most; there are ${used}.`;
  throw new AppError('quota_exceeded', message, {
    limit: { name, limit, used, requested: 1 },
    ...(organizationId && { organizationId }),
  });
}

/** Locks a person until the transaction ends, so that what is counted next stays true. */
export async function lockPerson(tx: EntityManager, userId: string): Promise<User> {
  const lockMode = LockMode.PESSIMISTIC_WRITE;
  return await tx.findOneOrFail(UserEntity, { id: userId }, { lockMode, refresh: true });
}
