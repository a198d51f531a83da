/** Data keys: who a secret belongs to, and the instances it opens. */

import { LockMode } from '@mikro-orm/core';
import { sha256Hex } from '../lib/crypto.ts';
import { newId } from '../lib/ids.ts';
import type { EntityManager, Orm } from '../store/database.ts';
import {
  type DataKey,
  DataKeyEntity,
  KeyBindingEntity,
  type KeyPermission,
} from '../store/entities/data-key.ts';
import { type Instance, InstanceEntity } from '../store/entities/instance.ts';
import type { AclUser } from './acl-rules.ts';
import { createDataSecret, isDataSecret } from './format.ts';
import { isExpired, unlimitedRate } from './key-terms.ts';

/** A data key with the live instances it is bound to. */
export interface Principal {
  readonly key: DataKey;
  readonly instances: readonly Instance[];
}

/** What a data key is made from; what is left out is as free as can be. */
interface NewDataKey {
  readonly organizationId: string;
  readonly name: string;
  readonly permissions?: readonly KeyPermission[];
  readonly ipWhitelist?: readonly string[];
  readonly rateLimit?: number;
  readonly expiresAt?: Date | null;
  /** The instance it ends with. */
  readonly madeForInstanceId?: string | null;
}

/** A key just made. The secret is here and nowhere else. */
export interface CreatedKey {
  readonly key: DataKey;
  readonly secret: string;
}

/** Makes a data key that opens nothing yet, in the caller's transaction. */
export async function writeKey(
  em: EntityManager,
  wanted: NewDataKey,
  now: Date,
): Promise<CreatedKey> {
  const { secret, hash } = createDataSecret();
  const key = em.create(DataKeyEntity, {
    id: newId('key'),
    organizationId: wanted.organizationId,
    name: wanted.name,
    secretHash: hash,
    permissions: [...(wanted.permissions ?? (['read', 'write'] as const))],
    ipWhitelist: [...(wanted.ipWhitelist ?? [])],
    rateLimit: wanted.rateLimit ?? unlimitedRate,
    createdAt: now,
    expiresAt: wanted.expiresAt ?? null,
    madeForInstanceId: wanted.madeForInstanceId ?? null,
  });
  // A binding refers to its key, and rows without a mapped relation are not put in order.
  await em.flush();
  return { key, secret };
}

/** Makes an instance's default key and binds it to the instance, in the transaction that makes both. */
export async function createBoundKey(
  em: EntityManager,
  options: { organizationId: string; instanceId: string; name: string; now: Date },
): Promise<CreatedKey> {
  const { organizationId, instanceId, name, now } = options;
  const wanted = { organizationId, name, madeForInstanceId: instanceId };
  const created = await writeKey(em, wanted, now);
  bindKey(em, instanceId, created.key.id, now);
  return created;
}

/** Binds an existing key to an instance, in the caller's unit of work. */
export function bindKey(em: EntityManager, instanceId: string, keyId: string, now: Date): void {
  em.create(KeyBindingEntity, { instanceId, keyId, createdAt: now });
}

/**
 * Finds whose secret this is. The look-up is by hash: nothing about the secret itself is compared, so
 * timing tells nothing. Gives undefined for a secret that is malformed, unknown or expired.
 */
export async function findPrincipal(
  orm: Orm,
  secret: string,
  now: Date,
): Promise<Principal | undefined> {
  return isDataSecret(secret)
    ? await findPrincipalByHash(orm.em.fork() as EntityManager, sha256Hex(secret), now)
    : undefined;
}

async function findPrincipalByHash(
  em: EntityManager,
  secretHash: string,
  now: Date,
): Promise<Principal | undefined> {
  const key = await em.findOne(DataKeyEntity, { secretHash });
  if (!key || isExpired(key, now)) return undefined;
  const bindings = await em.find(KeyBindingEntity, { keyId: key.id });
  const ids = bindings.map((binding) => binding.instanceId);
  const instances = await em.find(InstanceEntity, { id: { $in: ids }, desired: 'present' });
  return { key, instances };
}

/** The keys bound to an instance, oldest first. */
export async function listInstanceKeys(em: EntityManager, instanceId: string): Promise<DataKey[]> {
  const bindings = await em.find(KeyBindingEntity, { instanceId });
  const ids = bindings.map((binding) => binding.keyId);
  return await em.find(DataKeyEntity, { id: { $in: ids } }, { orderBy: { createdAt: 1, id: 1 } });
}

/** The ACL user that a key is in Redis. */
export function toAclUser({ id, secretHash, permissions }: DataKey): AclUser {
  return { name: id, passwordHash: secretHash, permissions };
}

/** Removes an instance's bindings, and the keys made for it that open nothing else. */
export async function releaseInstanceKeys(em: EntityManager, instanceId: string): Promise<void> {
  await em.nativeDelete(KeyBindingEntity, { instanceId });
  // Locked, so that nobody binds one to another instance between the count and the deed.
  const lock = { lockMode: LockMode.PESSIMISTIC_WRITE, orderBy: { id: 1 } } as const;
  const made = await em.find(DataKeyEntity, { madeForInstanceId: instanceId }, lock);
  for (const { id } of made) {
    const others = await em.count(KeyBindingEntity, { keyId: id });
    if (others === 0) await em.nativeDelete(DataKeyEntity, { id });
  }
}
