/** Whose keys are whose; a foreign key and one that is not there give the same answer. */
import { LockMode } from '@mikro-orm/core';
import { type Caller, requireRole } from '../accounts/caller.ts';
import type { Role } from '../accounts/roles.ts';
import { AppError } from '../lib/errors.ts';
import { idPattern } from '../lib/ids.ts';
import type { EntityManager } from '../store/database.ts';
import { type DataKey, DataKeyEntity } from '../store/entities/data-key.ts';

const keyIdPattern = idPattern('key');

/**
 * Finds a data key of an organization where the caller has the role that the deed needs.
 * @throws {AppError} `not_found`, `forbidden`.
 */
export async function findOwnKey(
  em: EntityManager,
  caller: Caller,
  keyId: string,
  needed: Role,
  options: { lockMode?: LockMode; refresh?: boolean } = {},
): Promise<DataKey> {
  // What is no id at all is not asked for: it may hold bytes that a database refuses.
  const where = { id: keyId, organizationId: { $in: [...caller.roles.keys()] } };
  const key = keyIdPattern.test(keyId) ? await em.findOne(DataKeyEntity, where, options) : null;
  if (!key) throw new AppError('not_found', 'There is no such API key.');
  requireRole(caller, key.organizationId, needed);
  return key;
}

/** The same in a transaction that is about to change the key, or what it opens. */
export async function lockOwnKey(
  tx: EntityManager,
  caller: Caller,
  keyId: string,
): Promise<DataKey> {
  const lock = { lockMode: LockMode.PESSIMISTIC_WRITE, refresh: true };
  return await findOwnKey(tx, caller, keyId, 'developer', lock);
}
