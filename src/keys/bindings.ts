/**
 * Bindings: which key opens which instance.
 *
 * Guarantees: a key is bound only to live instances of its own organization, and an instance has at most
 * `keysPerInstanceMax`; whatever changes who may use an instance raises its `accessRevision` in the same
 * transaction, so Redis is made to follow even after a crash. The order of locks is always instances (by
 * id), organization, key.
 */
import { LockMode } from '@mikro-orm/core';
import { AppError } from '../lib/errors.ts';
import type { EntityManager } from '../store/database.ts';
import { type DataKey, DataKeyEntity, KeyBindingEntity } from '../store/entities/data-key.ts';
import { type Instance, InstanceEntity } from '../store/entities/instance.ts';
import { bindKey } from './data-keys.ts';
import { isExpired } from './key-terms.ts';

const keysPerInstanceMax = 64;

/**
 * Locks live instances of an organization for a change of their keys.
 * @throws {AppError} `not_found` where one is not the organization's, `state_conflict` for one that is being
 * deleted.
 */
export async function lockLiveInstances(
  tx: EntityManager,
  organizationId: string,
  instanceIds: readonly string[],
): Promise<Instance[]> {
  const locked = await lockInstances(tx, organizationId, instanceIds);
  if (locked.length < instanceIds.length) {
    throw new AppError('not_found', 'There is no such instance.', { organizationId });
  }
  for (const instance of locked) requireLive(instance);
  return locked;
}

/** Locks those of the given instances that are there, in an order that no other change crosses. */
export async function lockInstances(
  tx: EntityManager,
  organizationId: string,
  instanceIds: readonly string[],
): Promise<Instance[]> {
  const lock = { lockMode: LockMode.PESSIMISTIC_WRITE, refresh: true };
  const locked: Instance[] = [];
  for (const id of [...instanceIds].sort()) {
    const where = { id, organizationId, status: { $ne: 'DELETED' as const } };
    const instance = await tx.findOne(InstanceEntity, where, lock);
    if (instance) locked.push(instance);
  }
  return locked;
}

/** @throws {AppError} `state_conflict` for an instance that is being deleted. */
export function requireLive({ id, desired, status, organizationId }: Instance): void {
  if (desired === 'present') return;
  throw new AppError('state_conflict', `The instance ${id} is ${status}.`, { organizationId });
}

/**
 * Binds a key that is in the database to instances that the caller has locked, and raises their revision.
 * What is bound already stays as it is.
 * @returns the instances that were not bound before.
 * @throws {AppError} `too_many_keys`.
 */
export async function bindKeyTo(
  tx: EntityManager,
  keyId: string,
  instances: readonly Instance[],
  now: Date,
): Promise<Instance[]> {
  const bound: Instance[] = [];
  for (const instance of instances) {
    const instanceId = instance.id;
    if (await tx.findOne(KeyBindingEntity, { instanceId, keyId })) continue;
    await reserveBindings(tx, instance, 1);
    bindKey(tx, instanceId, keyId, now);
    instance.accessRevision += 1;
    bound.push(instance);
  }
  await tx.flush();
  return bound;
}

/**
 * Binds existing keys to a new instance, in the transaction that makes it.
 * @throws {AppError} `not_found` for a key that is not the organization's, `invalid_request` for one that
 * has expired, `too_many_keys`.
 */
export async function bindExistingKeys(
  tx: EntityManager,
  instance: Instance,
  keyIds: readonly string[],
  now: Date,
): Promise<void> {
  const { organizationId } = instance;
  await reserveBindings(tx, instance, keyIds.length);
  for (const id of [...keyIds].sort()) {
    const lock = { lockMode: LockMode.PESSIMISTIC_WRITE };
    const key = await tx.findOne(DataKeyEntity, { id, organizationId }, lock);
    if (!key) throw new AppError('not_found', `There is no API key ${id}.`, { organizationId });
    requireUnexpired(key, now, '/apiKeyIds');
    bindKey(tx, instance.id, id, now);
  }
  instance.accessRevision += 1;
  await tx.flush();
}

/** @throws {AppError} `invalid_request` naming the field `pointer`. */
export function requireUnexpired(key: DataKey, now: Date, pointer: string): void {
  if (!isExpired(key, now)) return;
  const fields = [{ pointer, detail: 'names a key that has expired' }];
  throw new AppError('invalid_request', `The API key ${key.id} has expired.`, { fields });
}

/** The instance must be locked. */
async function reserveBindings(
  tx: EntityManager,
  { id, organizationId }: Instance,
  requested: number,
): Promise<void> {
  const used = await tx.count(KeyBindingEntity, { instanceId: id });
  if (used + requested <= keysPerInstanceMax) return;
  const limit = { name: 'keysPerInstance', limit: keysPerInstanceMax, used, requested };
  const message = `An instance has at most ${keysPerInstanceMax} API keys; ${id} has ${used}.`;
  throw new AppError('too_many_keys', message, { organizationId, limit });
}
