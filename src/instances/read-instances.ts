import type { Caller } from '../accounts/account-keys.ts';
import { listInstanceKeys } from '../keys/data-keys.ts';
import type { EntityManager, Orm } from '../store/database.ts';
import type { DataKey } from '../store/entities/data-key.ts';
import { type Instance, InstanceEntity } from '../store/entities/instance.ts';
import { findOwnInstance, requireOrganization } from './ownership.ts';

/** Lists an organization's live instances, oldest first. @throws {AppError} `not_found`. */
export async function listInstances(
  orm: Orm,
  caller: Caller,
  organizationId: string,
): Promise<Instance[]> {
  requireOrganization(caller, organizationId);
  return await orm.em
    .fork()
    .find(
      InstanceEntity,
      { organizationId, status: { $ne: 'DELETED' } },
      { orderBy: { createdAt: 1, id: 1 } },
    );
}

/** An instance with the keys bound to it. @throws {AppError} `not_found`. */
export async function getInstance(
  orm: Orm,
  caller: Caller,
  instanceId: string,
): Promise<{ instance: Instance; keys: DataKey[] }> {
  const em = orm.em.fork() as EntityManager;
  const instance = await findOwnInstance(em, caller, instanceId);
  return { instance, keys: await listInstanceKeys(em, instance.id) };
}
