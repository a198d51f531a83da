/** Reading instances: one with its keys, or an organization's, page by page. */
import type { FilterQuery } from '@mikro-orm/core';
import { type Caller, requireRole } from '../accounts/caller.ts';
import { listInstanceKeys } from '../keys/data-keys.ts';
import type { EntityManager, Orm } from '../store/database.ts';
import type { DataKey } from '../store/entities/data-key.ts';
import { type Instance, InstanceEntity, type InstanceStatus } from '../store/entities/instance.ts';
import { type Page, type PageRequest, pageQuery, toPage } from '../store/paging.ts';
import { findOwnInstance } from './ownership.ts';

/** What a list shows of each; the other half of the columns would only cost time. */
const listedFields = [
  'id',
  'organizationId',
  'name',
  'status',
  'maxMemoryBytes',
  'region',
  'tier',
  'evictionPolicy',
  'persistence',
  'image',
  'labels',
  'deletionProtection',
  'driftPolicy',
  'drift',
  'expiresAt',
  'backupSchedule',
  'backupKeepCount',
  'backupKeepDays',
  'backupNextAt',
  'failureCode',
  'failureMessage',
  'createdAt',
  'updatedAt',
] as const satisfies readonly (keyof Instance)[];

/** An instance as far as everybody in its organization is shown it. */
export type ShownInstance = Pick<Instance, (typeof listedFields)[number]>;

/** A label that an instance must have; any value where none is given. */
export interface LabelFilter {
  readonly name: string;
  readonly value: string | undefined;
}

/** What a list is about: everything that is given must hold. */
export interface InstanceFilter {
  readonly organizationId: string;
  readonly statuses?: readonly InstanceStatus[] | undefined;
  readonly region?: string | undefined;
  /** The whole name. */
  readonly name?: string | undefined;
  readonly labels?: readonly LabelFilter[] | undefined;
}

/**
 * Lists an organization's live instances, oldest first.
 * @throws {AppError} `not_found`, and `invalid_request` for a cursor that no list gave.
 */
export async function listInstances(
  orm: Orm,
  caller: Caller,
  filter: InstanceFilter,
  page: PageRequest,
): Promise<Page<ShownInstance>> {
  const { organizationId, statuses, region, name, labels = [] } = filter;
  requireRole(caller, organizationId, 'viewer');
  const em = orm.em.fork();
  const { where, options } = pageQuery<Instance>(page, 'oldest first');
  const conditions: FilterQuery<Instance>[] = [
    { organizationId, status: { $ne: 'DELETED' } },
    ...(statuses ? [{ status: { $in: [...statuses] } }] : []),
    ...(region === undefined ? [] : [{ region }]),
    ...(name === undefined ? [] : [{ name }]),
    ...labels.map((label) => hasLabel(em, label)),
    where,
  ];
  const found = await em.find(
    InstanceEntity,
    { $and: conditions },
    { ...options, fields: listedFields },
  );
  return toPage<ShownInstance>(found, page);
}

/** Asked of the engine's own dialect: as a plain filter, a label named `constructor` would not be found. */
function hasLabel(em: Orm['em'], { name, value }: LabelFilter): FilterQuery<Instance> {
  const label = em.getPlatform().getSearchJsonPropertyKey(['labels', name], 'string', false);
  const condition = value === undefined ? { $ne: null } : value;
  return { [label as string]: condition } as FilterQuery<Instance>;
}

/** An instance with the keys bound to it. @throws {AppError} `not_found`. */
export async function getInstance(
  orm: Orm,
  caller: Caller,
  instanceId: string,
): Promise<{ instance: Instance; keys: DataKey[] }> {
  const em = orm.em.fork() as EntityManager;
  const instance = await findOwnInstance(em, caller, instanceId, 'viewer');
  return { instance, keys: await listInstanceKeys(em, instance.id) };
}
