/** Reading data keys. */
import { type Caller, requireRole } from '../accounts/caller.ts';
import { findOwnInstance } from '../instances/ownership.ts';
import type { EntityManager, Orm } from '../store/database.ts';
import { type DataKey, DataKeyEntity, KeyBindingEntity } from '../store/entities/data-key.ts';
import { type Page, type PageRequest, pageQuery, toPage } from '../store/paging.ts';
import { findOwnKey } from './ownership.ts';

/** A key with the instances it is bound to, ordered by id. */
export interface KeyWithInstances {
  readonly key: DataKey;
  readonly instanceIds: readonly string[];
}

/** A key of the caller's organization. @throws {AppError} `not_found`. */
export async function getKey(orm: Orm, caller: Caller, keyId: string): Promise<KeyWithInstances> {
  const em = orm.em.fork() as EntityManager;
  const key = await findOwnKey(em, caller, keyId, 'viewer');
  return { key, instanceIds: await listInstanceIds(em, keyId) };
}

/** The instances a key is bound to, ordered by id. */
export async function listInstanceIds(em: EntityManager, keyId: string): Promise<string[]> {
  const bindings = await em.find(KeyBindingEntity, { keyId }, { orderBy: { instanceId: 1 } });
  return bindings.map(({ instanceId }) => instanceId);
}

/** An organization's keys, oldest first. @throws {AppError} `not_found`, `invalid_request`. */
export async function listKeys(
  orm: Orm,
  caller: Caller,
  organizationId: string,
  page: PageRequest,
): Promise<Page<KeyWithInstances>> {
  requireRole(caller, organizationId, 'viewer');
  const em = orm.em.fork() as EntityManager;
  return await readPage(em, { organizationId }, page);
}

/** The keys bound to an instance, oldest first. @throws {AppError} `not_found`, `invalid_request`. */
export async function listKeysOfInstance(
  orm: Orm,
  caller: Caller,
  instanceId: string,
  page: PageRequest,
): Promise<Page<KeyWithInstances>> {
  const em = orm.em.fork() as EntityManager;
  await findOwnInstance(em, caller, instanceId, 'viewer');
  const bindings = await em.find(KeyBindingEntity, { instanceId });
  return await readPage(em, { id: { $in: bindings.map(({ keyId }) => keyId) } }, page);
}

async function readPage(
  em: EntityManager,
  filter: { organizationId: string } | { id: { $in: string[] } },
  page: PageRequest,
): Promise<Page<KeyWithInstances>> {
  const { where, options } = pageQuery<DataKey>(page, 'oldest first');
  const found = await em.find(DataKeyEntity, { $and: [filter, where] }, options);
  const { rows, nextCursor } = toPage(found, page);
  const bindings = await em.find(
    KeyBindingEntity,
    { keyId: { $in: rows.map(({ id }) => id) } },
    { orderBy: { instanceId: 1 } },
  );
  const idsByKey = Map.groupBy(bindings, ({ keyId }) => keyId);
  return {
    rows: rows.map((key) => {
      const instanceIds = (idsByKey.get(key.id) ?? []).map(({ instanceId }) => instanceId);
      return { key, instanceIds };
    }),
    nextCursor,
  };
}
