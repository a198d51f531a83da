/** Rows for tests: complete, plain, and changed only where a test says so. */
import { sha256Hex } from '../../src/lib/crypto.ts';
import { newId } from '../../src/lib/ids.ts';
import type { EntityManager, Orm } from '../../src/store/database.ts';
import { type Backup, BackupEntity } from '../../src/store/entities/backup.ts';
import {
  type DataKey,
  DataKeyEntity,
  KeyBindingEntity,
} from '../../src/store/entities/data-key.ts';
import {
  type Instance,
  InstanceEntity,
  type InstanceStatus,
} from '../../src/store/entities/instance.ts';
import { type Operation, OperationEntity } from '../../src/store/entities/operation.ts';
import { type Organization, OrganizationEntity } from '../../src/store/entities/organization.ts';

export const someDate = new Date('2024-01-15T10:30:00.123Z');

export async function addOrganization(orm: Orm): Promise<Organization> {
  const em = orm.em.fork();
  const organization = em.create(OrganizationEntity, {
    id: newId('org'),
    name: 'an organization',
    plan: 'dedicated',
    createdAt: someDate,
  });
  await em.flush();
  return organization;
}

const settledStatuses: readonly InstanceStatus[] = ['RUNNING', 'DEGRADED', 'STOPPED', 'DELETED'];

/** A new instance that nobody has worked on yet, in an organization of its own unless told otherwise. */
export async function addInstance(orm: Orm, changes: Partial<Instance> = {}): Promise<Instance> {
  const organizationId = changes.organizationId ?? (await addOrganization(orm)).id;
  const em = orm.em.fork();
  // What FAILED has been given up.
  const generation = changes.generation ?? 1;
  const failedGeneration = changes.status === 'FAILED' ? generation : 0;
  const isSettled = settledStatuses.includes(changes.status ?? 'PROVISIONING');
  const instance = em.create(InstanceEntity, {
    id: newId('inst'),
    name: 'my-cache',
    region: 'eu-central',
    tier: 'dedicated',
    createdAt: someDate,
    updatedAt: someDate,
    desired: 'present',
    generation: 1,
    maxMemoryBytes: 64 * 1024 * 1024,
    evictionPolicy: 'allkeys-lru',
    persistence: false,
    image: `sha256:${'a'.repeat(64)}`,
    status: 'PROVISIONING',
    appliedGeneration: isSettled ? generation : 0,
    failedGeneration,
    leaseExpiresAtMs: 0,
    leaseEpoch: 0,
    attempts: 0,
    nextAttemptAtMs: 0,
    ...changes,
    organizationId,
  });
  await em.flush();
  return instance;
}

export async function addOperation(
  orm: Orm,
  { id, organizationId, generation }: Pick<Instance, 'id' | 'organizationId' | 'generation'>,
  changes: Partial<Operation> = {},
): Promise<Operation> {
  const em = orm.em.fork();
  const operation = em.create(OperationEntity, {
    id: newId('op'),
    organizationId,
    instanceId: id,
    kind: 'create',
    generation,
    status: 'QUEUED',
    progress: 0,
    steps: [],
    createdAt: someDate,
    ...changes,
  });
  await em.flush();
  return operation;
}

/** A backup of an instance. */
export async function addBackup(
  orm: Orm,
  { id, organizationId }: Pick<Instance, 'id' | 'organizationId'>,
  changes: Partial<Backup> = {},
): Promise<Backup> {
  const em = orm.em.fork();
  const backup = em.create(BackupEntity, {
    id: newId('bkp'),
    organizationId,
    instanceId: id,
    kind: 'manual',
    status: 'QUEUED',
    createdAt: someDate,
    leaseExpiresAtMs: 0,
    ...changes,
  });
  await em.flush();
  return backup;
}

export async function readBackup(orm: Orm, id: string): Promise<Backup | null> {
  return await orm.em.fork().findOne(BackupEntity, { id });
}

/** A data key of an organization, bound to the given instances. */
export async function addDataKey(
  orm: Orm,
  organizationId: string,
  changes: Partial<DataKey> = {},
  instanceIds: readonly string[] = [],
): Promise<DataKey> {
  const em = orm.em.fork();
  const key = em.create(DataKeyEntity, {
    id: newId('key'),
    organizationId,
    name: 'a key',
    secretHash: sha256Hex(newId('key')),
    permissions: ['read', 'write'],
    ipWhitelist: [],
    rateLimit: 1000,
    createdAt: someDate,
    ...changes,
  });
  await em.flush();
  for (const instanceId of instanceIds) {
    em.create(KeyBindingEntity, { instanceId, keyId: key.id, createdAt: someDate });
  }
  await em.flush();
  return key;
}

export async function readInstance(orm: Orm, id: string): Promise<Instance> {
  return await orm.em.fork().findOneOrFail(InstanceEntity, { id });
}

export async function readOperation(orm: Orm, id: string): Promise<Operation> {
  return await orm.em.fork().findOneOrFail(OperationEntity, { id });
}

/** Every row of every table of ours, as the engine gives them. */
export async function dumpDatabase(orm: Orm): Promise<string> {
  const connection = (orm.em.fork() as EntityManager).getConnection();
  const tables = [...orm.getMetadata().getAll().values()].map(({ tableName }) => tableName);
  const rows = await Promise.all(
    [...new Set(tables)].map((table) => connection.execute(`select * from ${table}`)),
  );
  return JSON.stringify(rows);
}
