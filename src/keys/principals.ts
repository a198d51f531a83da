/**
 * Whose key this is, as the surfaces for data need to know it: plain rows of a few columns, so that a process
 * without a database can be told them, and sees no more of an instance than where it is.
 *
 * Every key that is in use is looked up anew each second, so a look-up is one statement, and those of a turn
 * of the event loop are one together: four queries through entities took 1.3 ms of processor time a key.
 */
import { defaultPlan, planNames, planOf } from '../instances/plans.ts';
import type { Clock } from '../lib/clock.ts';
import type { EntityManager, Orm } from '../store/database.ts';
import { type DataKey, DataKeyEntity, type KeyPermission } from '../store/entities/data-key.ts';
import type { Instance, InstanceStatus } from '../store/entities/instance.ts';
import { OrganizationEntity } from '../store/entities/organization.ts';
import { isExpired } from './key-terms.ts';

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
  /** Connections to the redis:// door over all of them. */
  readonly connectionsMax: number;
}

/** What a key and its organization's plan allow, as it may change while the key is in use. */
export interface KeyTerms extends Pick<KnownPrincipal, 'requestsPerSecond' | 'connectionsMax'> {
  readonly key: Pick<KnownKey, 'id' | 'organizationId' | 'rateLimit' | 'expiresAt'>;
}

/** Finds whose secret has this SHA-256 (lower-case hex); undefined for an unknown or expired key. */
export type FindPrincipal = (secretHash: string) => Promise<KnownPrincipal | undefined>;

/** Makes the look-up in the database. Every call asks it anew. */
export function createPrincipalFinder(orm: Orm, clock: Clock): FindPrincipal {
  let waiting: Waiting[] = [];

  async function ask(): Promise<void> {
    const asked = waiting.slice(0, hashesMax);
    waiting = waiting.slice(hashesMax);
    if (waiting.length > 0) setImmediate(ask);
    try {
      const em = orm.em.fork() as EntityManager;
      const found = await readPrincipals(em, [...new Set(asked.map(({ hash }) => hash))]);
      const now = clock.now();
      for (const { hash, resolve } of asked) {
        const principal = found.get(hash);
        resolve(principal && !isExpired(principal.key, now) ? principal : undefined);
      }
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  }

  return (hash) => {
    return new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(ask);
      waiting.push({ hash, resolve, reject });
    });
  };
}

/** So many keys are asked for by one statement. */
const hashesMax = 200;

interface Waiting {
  readonly hash: string;
  resolve(principal: KnownPrincipal | undefined): void;
  reject(reason: unknown): void;
}

/** A key with one of its instances; without one, the last columns are null. */
interface Row {
  readonly id: string;
  readonly organization_id: string;
  readonly secret_hash: string;
  /** JSON, as text or as what it means, by the database. */
  readonly permissions: KeyPermission[] | string;
  readonly ip_whitelist: string[] | string;
  readonly rate_limit: number;
  readonly expires_at: Date | number | string | null;
  readonly plan: string | null;
  readonly instance_id: string | null;
  readonly status: InstanceStatus;
  readonly node_host: string | null;
  readonly node_port: number | null;
}

async function readPrincipals(
  em: EntityManager,
  hashes: readonly string[],
): Promise<Map<string, KnownPrincipal>> {
  const places = hashes.map(() => '?').join(', ');
  const rows = (await em.getConnection().execute(
    `select k.id, k.organization_id, k.secret_hash, k.permissions, k.ip_whitelist, k.rate_limit,
            k.expires_at, o.plan, i.id as instance_id, i.status, i.node_host, i.node_port
     from data_keys k
     left join organizations o on o.id = k.organization_id
     left join key_bindings b on b.key_id = k.id
     left join instances i on i.id = b.instance_id and i.desired = 'present'
     where k.secret_hash in (${places})`,
    [...hashes],
    'all',
  )) as Row[];
  const byHash = Map.groupBy(rows, ({ secret_hash }) => secret_hash);
  return new Map([...byHash].map(([hash, ofKey]) => [hash, toPrincipal(ofKey)]));
}

function toPrincipal(rows: readonly Row[]): KnownPrincipal {
  const [row] = rows as [Row];
  return {
    key: toKnownKey(row),
    instances: rows.flatMap(toKnownInstance),
    ...boundsOf(row.plan ?? undefined),
  };
}

function toKnownKey(row: Row): KnownKey {
  return {
    id: row.id,
    organizationId: row.organization_id,
    secretHash: row.secret_hash,
    permissions: readJson(row.permissions),
    ipWhitelist: readJson(row.ip_whitelist),
    rateLimit: row.rate_limit,
    expiresAt: row.expires_at === null ? null : new Date(row.expires_at),
  };
}

function toKnownInstance({ instance_id, status, node_host, node_port }: Row): KnownInstance[] {
  if (instance_id === null) return [];
  return [{ id: instance_id, status, nodeHost: node_host, nodePort: node_port }];
}

function readJson<T>(value: T | string): T {
  return typeof value === 'string' ? JSON.parse(value) : value;
}

/** So many ids are asked for in one query. */
const batchSize = 1_000;

/** Reads the terms of keys that are in use; a key that is gone has none. */
export async function readKeyTerms(orm: Orm, keyIds: readonly string[]): Promise<KeyTerms[]> {
  const em = orm.em.fork() as EntityManager;
  const terms: KeyTerms[] = [];
  for (let first = 0; first < keyIds.length; first += batchSize) {
    const id = { $in: keyIds.slice(first, first + batchSize) };
    const keys = await em.find(DataKeyEntity, { id }, { disableIdentityMap: true });
    const organizationIds = [...new Set(keys.map(({ organizationId }) => organizationId))];
    const organizations = await em.find(OrganizationEntity, { id: { $in: organizationIds } });
    const plans = new Map(
      organizations.map((organization) => [organization.id, organization.plan]),
    );
    // Nothing else of a key: a process that asks for its terms gets no hash.
    for (const { id, organizationId, rateLimit, expiresAt = null } of keys) {
      const key = { id, organizationId, rateLimit, expiresAt };
      terms.push({ key, ...boundsOf(plans.get(organizationId)) });
    }
  }
  return terms;
}

/** An operator may have taken a plan out of plans.json that an organization still has. */
function boundsOf(
  plan: string | undefined,
): Pick<KnownPrincipal, 'requestsPerSecond' | 'connectionsMax'> {
  const name = plan !== undefined && planNames.includes(plan) ? plan : defaultPlan;
  const { requestsPerSecond, connectionsMax } = planOf(name);
  return { requestsPerSecond, connectionsMax };
}
