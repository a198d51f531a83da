/** Making data keys. */
import { type Caller, requireRole } from '../accounts/caller.ts';
import { recordChange } from '../audit/record.ts';
import { findOwnInstance } from '../instances/ownership.ts';
import { lockOrganization, reserveKey } from '../instances/quotas.ts';
import type { InstanceServices } from '../instances/services.ts';
import { requireFuture } from '../lib/end-time.ts';
import type { EntityManager } from '../store/database.ts';
import type { KeyPermission } from '../store/entities/data-key.ts';
import { bindKeyTo, lockLiveInstances } from './bindings.ts';
import { type CreatedKey, writeKey } from './data-keys.ts';

/** A checked request for a key. */
export interface NewKey {
  readonly name: string;
  readonly permissions: readonly KeyPermission[];
  readonly ipWhitelist: readonly string[];
  readonly rateLimit: number;
  readonly expiresAt: Date | null;
}

/** A key just made, with the instances it opens. */
export interface CreatedKeyWithInstances extends CreatedKey {
  readonly instanceIds: readonly string[];
}

/**
 * Makes a key for one instance: it ends with the instance, unless another is bound to it by then.
 * @throws {AppError} `not_found`, `forbidden`, and what createKey throws.
 */
export async function createInstanceKey(
  services: InstanceServices,
  caller: Caller,
  instanceId: string,
  wanted: NewKey,
): Promise<CreatedKeyWithInstances> {
  const em = services.orm.em.fork() as EntityManager;
  const { organizationId } = await findOwnInstance(em, caller, instanceId, 'developer');
  const place = { organizationId, instanceIds: [instanceId], madeForInstanceId: instanceId };
  return await createKey(services, caller, { ...wanted, ...place });
}

/**
 * Makes a key of an organization and binds it to the given instances; without any it opens nothing yet.
 * It is in force in Redis when this resolves, but for an instance that does not answer or does not run.
 * @throws {AppError} `not_found` for a foreign organization or instance, `forbidden`, `invalid_request` for
 * a time that has passed, `state_conflict` for an instance that is being deleted, `too_many_keys`,
 * `quota_exceeded`.
 */
export async function createKey(
  services: InstanceServices,
  caller: Caller,
  wanted: NewKey & {
    readonly organizationId: string;
    readonly instanceIds: readonly string[];
    readonly madeForInstanceId?: string;
  },
): Promise<CreatedKeyWithInstances> {
  const { organizationId, instanceIds } = wanted;
  requireRole(caller, organizationId, 'developer');
  const now = services.clock.now();
  requireFuture(wanted.expiresAt, now);
  const em = services.orm.em.fork() as EntityManager;
  const created = await em.transactional(async (tx) => {
    const instances = await lockLiveInstances(tx, organizationId, instanceIds);
    await reserveKey(tx, await lockOrganization(tx, organizationId));
    const made = await writeKey(tx, wanted, now);
    await bindKeyTo(tx, made.key.id, instances, now);
    const { name, permissions, ipWhitelist, rateLimit, expiresAt } = made.key;
    recordChange(tx, caller, now, {
      organizationId,
      action: 'key.create',
      targetId: made.key.id,
      details: { name, permissions, ipWhitelist, rateLimit, expiresAt, instanceIds },
    });
    await tx.flush();
    return made;
  });
  await services.access.enforce(instanceIds);
  return { ...created, instanceIds: [...instanceIds].sort() };
}
