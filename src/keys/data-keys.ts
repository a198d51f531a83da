/** Data keys: who a secret belongs to, and the instances it opens. */

import { sha256Hex } from '../lib/crypto.ts';
import { newId } from '../lib/ids.ts';
import type { EntityManager, Orm } from '../store/database.ts';
import { type DataKey, DataKeyEntity, KeyBindingEntity } from '../store/entities/data-key.ts';
import { type Instance, InstanceEntity } from '../store/entities/instance.ts';
import type { AclUser } from './acl-rules.ts';
import { createDataSecret, isDataSecret } from './format.ts';

/** The rate that stands for "unlimited" in the API. */
const unlimitedRate = 1000;

/** A data key with the live instances it is bound to. */
export interface Principal {
  readonly key: DataKey;
  readonly instances: readonly Instance[];
}

/**
 * Makes a data key and binds it to an instance, in the caller's transaction. The secret is in the answer
 * and nowhere else.
 */
export async function createBoundKey(
  em: EntityManager,
  options: { organizationId: string; instanceId: string; name: string; now: Date },
): Promise<{ key: DataKey; secret: string }> {
  const { secret, hash } = createDataSecret();
  const key = em.create(DataKeyEntity, {
    id: newId('key'),
    organizationId: options.organizationId,
    name: options.name,
    secretHash: hash,
    permissions: ['read', 'write'],
    ipWhitelist: [],
    rateLimit: unlimitedRate,
    createdAt: options.now,
  });
  // The binding refers to the key, and rows without a mapped relation are not put in order.
  await em.flush();
  bindKey(em, options.instanceId, key.id, options.now);
  return { key, secret };
}

/** Binds an existing key to an instance, in the caller's unit of work. */
export function bindKey(em: EntityManager, instanceId: string, keyId: string, now: Date): void {
  em.create(KeyBindingEntity, { instanceId, keyId, createdAt: now });
}

/**
 * Finds whose secret this is. The look-up is by hash: nothing about the secret itself is compared, so
 * timing tells nothing. Gives undefined for a secret that is malformed or unknown.
 */
export async function findPrincipal(orm: Orm, secret: string): Promise<Principal | undefined> {
  if (!isDataSecret(secret)) return undefined;
  const em = orm.em.fork();
  const key = await em.findOne(DataKeyEntity, { secretHash: sha256Hex(secret) });
  if (!key) return undefined;
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

/** The ACL users an instance must have: one a bound key. */
export async function listAclUsers(em: EntityManager, instanceId: string): Promise<AclUser[]> {
  const keys = await listInstanceKeys(em, instanceId);
  return keys.map(({ id, secretHash, permissions }) => {
    return { name: id, passwordHash: secretHash, permissions };
  });
}

/** Removes an instance's bindings, and the keys that then open nothing (they were made for it alone). */
export async function releaseInstanceKeys(em: EntityManager, instanceId: string): Promise<void> {
  const bindings = await em.find(KeyBindingEntity, { instanceId });
  await em.nativeDelete(KeyBindingEntity, { instanceId });
  for (const { keyId } of bindings) {
    const others = await em.count(KeyBindingEntity, { keyId });
    if (others === 0) await em.nativeDelete(DataKeyEntity, { id: keyId });
  }
}
