/**
 * Changing and deleting keys, and what they open.
 *
 * Guarantee: what a key may no longer do is refused on every path when the change is answered: Redis has
 * followed and what the gateway and the door held open is closed. Where an instance does not answer in
 * time, its raised `accessRevision` makes the sweep go on until it has followed.
 */
import type { Caller } from '../accounts/caller.ts';
import { recordChange } from '../audit/record.ts';
import { lockOwnInstance } from '../instances/ownership.ts';
import type { InstanceServices } from '../instances/services.ts';
import { requireFuture } from '../lib/end-time.ts';
import { AppError } from '../lib/errors.ts';
import { etagOf, requireMatch } from '../lib/etag.ts';
import type { EntityManager } from '../store/database.ts';
import { type DataKey, KeyBindingEntity } from '../store/entities/data-key.ts';
import type { Instance } from '../store/entities/instance.ts';
import { bindKeyTo, lockInstances, requireLive, requireUnexpired } from './bindings.ts';
import type { NewKey } from './create-key.ts';
import { findOwnKey, lockOwnKey } from './ownership.ts';
import { type KeyWithInstances, listInstanceIds } from './read-keys.ts';

/** A checked PATCH: what is left out stays as it is. */
export type KeyChanges = { readonly [Field in keyof NewKey]?: NewKey[Field] | undefined };

/** A binding that came between the look at a key's instances and its lock is looked for again. */
const lockTries = 5;

/** The ETag of a key: over what a PATCH can change. */
export function keyEtag({ name, permissions, ipWhitelist, rateLimit, expiresAt }: DataKey): string {
  return etagOf({ name, permissions, ipWhitelist, rateLimit, expiresAt: expiresAt ?? null });
}

/**
 * Changes a key.
 * @throws {AppError} `not_found`, `forbidden`, `changed_meanwhile`, `invalid_request` for a time that has
 * passed.
 */
export async function updateKey(
  services: InstanceServices,
  caller: Caller,
  keyId: string,
  { changes, ifMatch }: { changes: KeyChanges; ifMatch: string | undefined },
): Promise<KeyWithInstances> {
  const now = services.clock.now();
  requireFuture(changes.expiresAt, now);
  const changed = await withLockedKey(services, caller, keyId, async (tx, key, instances) => {
    requireMatch(ifMatch, keyEtag(key));
    const before = { ...key };
    noteChanges(key, changes);
    // Of all that can change, Redis knows of these two.
    const isInRedis =
      !isSame(before.permissions, key.permissions) || !isSame(before.expiresAt, key.expiresAt);
    if (isInRedis) raiseRevisions(instances);
    const { organizationId } = key;
    const fact = { organizationId, action: 'key.update', targetId: keyId, details: { ...changes } };
    recordChange(tx, caller, now, fact);
    return { key, isInRedis, hasLost: hasLost(before, key) };
  });
  const { key, instanceIds, isInRedis, hasLost: lost } = changed;
  if (lost) services.access.forgetKey(keyId);
  if (isInRedis) await services.access.enforce(instanceIds);
  return { key, instanceIds };
}

/** Deletes a key: it opens nothing any more, and cannot come back. @throws {AppError} `not_found`, `forbidden`. */
export async function deleteKey(
  services: InstanceServices,
  caller: Caller,
  keyId: string,
): Promise<void> {
  const now = services.clock.now();
  const { instanceIds } = await withLockedKey(services, caller, keyId, async (tx, key, bound) => {
    raiseRevisions(bound);
    const { organizationId, name } = key;
    const details = { name, instanceIds: bound.map(({ id }) => id) };
    recordChange(tx, caller, now, {
      organizationId,
      action: 'key.delete',
      targetId: keyId,
      details,
    });
    // Its bindings go with it.
    tx.remove(key);
    return {};
  });
  services.access.forgetKey(keyId);
  await services.access.enforce(instanceIds);
}

/**
 * Binds a key to an instance of its organization; one that is bound already is no problem.
 * @throws {AppError} `not_found`, `forbidden`, `state_conflict` for an instance that is being deleted,
 * `invalid_request` for a key that has expired, `too_many_keys`.
 */
export async function bindKeyToInstance(
  services: InstanceServices,
  caller: Caller,
  { instanceId, keyId }: { instanceId: string; keyId: string },
): Promise<KeyWithInstances> {
  const now = services.clock.now();
  const em = services.orm.em.fork() as EntityManager;
  const bound = await em.transactional(async (tx) => {
    const { instance, key } = await lockPair(tx, caller, instanceId, keyId);
    requireLive(instance);
    requireUnexpired(key, now, 'keyId');
    const { organizationId } = key;
    const [added] = await bindKeyTo(tx, keyId, [instance], now);
    const fact = { organizationId, action: 'key.bind', targetId: keyId, details: { instanceId } };
    if (added) recordChange(tx, caller, now, fact);
    await tx.flush();
    return { key, instanceIds: await listInstanceIds(tx, keyId) };
  });
  await services.access.enforce([instanceId]);
  return bound;
}

/**
 * Takes a key off an instance; one that is not bound is no problem.
 * @throws {AppError} `not_found`, `forbidden`.
 */
export async function unbindKey(
  services: InstanceServices,
  caller: Caller,
  { instanceId, keyId }: { instanceId: string; keyId: string },
): Promise<KeyWithInstances> {
  const now = services.clock.now();
  const em = services.orm.em.fork() as EntityManager;
  const left = await em.transactional(async (tx) => {
    const { instance, key } = await lockPair(tx, caller, instanceId, keyId);
    const { organizationId } = key;
    const removed = await tx.nativeDelete(KeyBindingEntity, { instanceId, keyId });
    if (removed > 0) {
      raiseRevisions([instance]);
      const details = { instanceId };
      const fact = { organizationId, action: 'key.unbind', targetId: keyId, details };
      recordChange(tx, caller, now, fact);
    }
    await tx.flush();
    return { key, instanceIds: await listInstanceIds(tx, keyId) };
  });
  services.access.forgetKey(keyId, instanceId);
  await services.access.enforce([instanceId]);
  return left;
}

async function lockPair(
  tx: EntityManager,
  caller: Caller,
  instanceId: string,
  keyId: string,
): Promise<{ instance: Instance; key: DataKey }> {
  const instance = await lockOwnInstance(tx, caller, instanceId, 'developer');
  const key = await lockOwnKey(tx, caller, keyId);
  if (key.organizationId === instance.organizationId) return { instance, key };
  throw new AppError('not_found', 'There is no such API key.');
}

type WithInstances<T> = T & { readonly instanceIds: readonly string[] };

/**
 * Runs `change` in a transaction that holds a key and all instances it is bound to. Instances are locked
 * before the key, so a binding may come in between: then everything is begun anew.
 */
async function withLockedKey<T extends object>(
  { orm }: InstanceServices,
  caller: Caller,
  keyId: string,
  change: (tx: EntityManager, key: DataKey, instances: Instance[]) => Promise<T>,
): Promise<WithInstances<T>> {
  for (let tries = 1; tries <= lockTries; tries += 1) {
    const em = orm.em.fork() as EntityManager;
    const done = await em.transactional(async (tx): Promise<WithInstances<T> | undefined> => {
      const { organizationId } = await findOwnKey(tx, caller, keyId, 'developer');
      const instanceIds = await listInstanceIds(tx, keyId);
      const instances = await lockInstances(tx, organizationId, instanceIds);
      const key = await lockOwnKey(tx, caller, keyId);
      const boundNow = await listInstanceIds(tx, keyId);
      if (boundNow.some((id) => !instanceIds.includes(id))) return undefined;
      const stillBound = instances.filter(({ id }) => boundNow.includes(id));
      const outcome = await change(tx, key, stillBound);
      await tx.flush();
      return { ...outcome, instanceIds: boundNow };
    });
    if (done) return done;
  }
  throw new AppError('changed_meanwhile', 'The key is being bound to other instances right now.');
}

function raiseRevisions(instances: readonly Instance[]): void {
  for (const instance of instances) instance.accessRevision += 1;
}

function noteChanges(key: DataKey, changes: KeyChanges): void {
  const { name, permissions, ipWhitelist, rateLimit, expiresAt } = changes;
  if (name !== undefined) key.name = name;
  if (permissions !== undefined) key.permissions = [...permissions];
  if (ipWhitelist !== undefined) key.ipWhitelist = [...ipWhitelist];
  if (rateLimit !== undefined) key.rateLimit = rateLimit;
  if (expiresAt !== undefined) key.expiresAt = expiresAt;
}

/** Whether something that is open now may have to be closed. */
function hasLost(before: DataKey, after: DataKey): boolean {
  const lostAddresses =
    after.ipWhitelist.length > 0 && !isSame(before.ipWhitelist, after.ipWhitelist);
  return lostAddresses || before.permissions.length > after.permissions.length;
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one ?? null) === JSON.stringify(other ?? null);
}
