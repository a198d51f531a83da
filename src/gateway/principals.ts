/**
 * Whose key this is, as the gateway needs to know it: plain rows of a few columns, so that a process
 * without a database can be told them, and sees no more of an instance than where it is.
 */
import { defaultPlan, planNames, planOf } from '../instances/plans.ts';
import { findPrincipalByHash } from '../keys/data-keys.ts';
import type { Clock } from '../lib/clock.ts';
import type { EntityManager, Orm } from '../store/database.ts';
import type { DataKey } from '../store/entities/data-key.ts';
import type { Instance } from '../store/entities/instance.ts';
import { OrganizationEntity } from '../store/entities/organization.ts';

export type KnownKey = Readonly<
  Pick<
    DataKey,
    | 'id'
    | 'organizationId'
    | 'secretHash'
    | 'permissions'
    | 'ipWhitelist'
    | 'rateLimit'
    | 'expiresAt'
  >
>;

export type KnownInstance = Readonly<Pick<Instance, 'id' | 'status' | 'nodeHost' | 'nodePort'>>;

/** A data key with the live instances that it opens, and the rate of its organization's plan. */
export interface KnownPrincipal {
  readonly key: KnownKey;
  readonly instances: readonly KnownInstance[];
  /** Commands per second over all of the organization's instances. */
  readonly requestsPerSecond: number;
}

/** Finds whose secret has this SHA-256 (lower-case hex); undefined for an unknown or expired key. */
export type FindPrincipal = (secretHash: string) => Promise<KnownPrincipal | undefined>;

/** Makes the look-up in the database. Every call asks it anew. */
export function createPrincipalFinder(orm: Orm, clock: Clock): FindPrincipal {
  return async (secretHash) => {
    const em = orm.em.fork() as EntityManager;
    const principal = await findPrincipalByHash(em, secretHash, clock.now());
    if (!principal) return undefined;
    const { organizationId } = principal.key;
    const organization = await em.findOne(OrganizationEntity, { id: organizationId });
    return {
      key: toKnownKey(principal.key),
      instances: principal.instances.map(toKnownInstance),
      requestsPerSecond: rateOf(organization?.plan),
    };
  };
}

function toKnownKey(key: DataKey): KnownKey {
  const { id, organizationId, secretHash, permissions, ipWhitelist, rateLimit, expiresAt } = key;
  return { id, organizationId, secretHash, permissions, ipWhitelist, rateLimit, expiresAt };
}

function toKnownInstance({ id, status, nodeHost, nodePort }: Instance): KnownInstance {
  return { id, status, nodeHost, nodePort };
}

/** An operator may have taken a plan out of plans.json that an organization still has. */
function rateOf(plan: string | undefined): number {
  const name = plan !== undefined && planNames.includes(plan) ? plan : defaultPlan;
  return planOf(name).requestsPerSecond;
}
