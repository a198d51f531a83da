import { type Caller, requireRole } from '../accounts/caller.ts';
import { recordChange } from '../audit/record.ts';
import { bindExistingKeys } from '../keys/bindings.ts';
import { createBoundKey } from '../keys/data-keys.ts';
import { requireFuture } from '../lib/end-time.ts';
import { newId } from '../lib/ids.ts';
import type { EntityManager } from '../store/database.ts';
import type { DataKey } from '../store/entities/data-key.ts';
import { type DriftPolicy, type Instance, InstanceEntity } from '../store/entities/instance.ts';
import type { Operation } from '../store/entities/operation.ts';
import type { EvictionPolicy } from './eviction-policies.ts';
import { withFreePort } from './node-ports.ts';
import { queueOperation } from './operations.ts';
import {
  lockOrganization,
  type Reservation,
  reserveHostMemory,
  reserveKey,
  reserveMemory,
  reserveOperation,
} from './quotas.ts';
import { lockRestoreSource } from './restore-source.ts';
import type { InstanceServices } from './services.ts';

/** A checked request for an instance. */
export interface NewInstance {
  readonly organizationId: string;
  readonly name: string;
  readonly maxMemory: number;
  readonly region: string;
  readonly evictionPolicy: EvictionPolicy;
  readonly persistence: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly deletionProtection: boolean;
  readonly driftPolicy: DriftPolicy;
  readonly expiresAt: Date | null;
  /** The backup whose data it begins with. */
  readonly fromBackup: string | null;
  /** Existing keys to bind; none means that a default key is made. */
  readonly apiKeyIds: readonly string[];
}

export interface CreatedInstance {
  readonly instance: Instance;
  readonly operation: Operation;
  /** The default key with its secret, where one was made. Shown once. */
  readonly defaultKey: { readonly key: DataKey; readonly secret: string } | undefined;
}

/**
 * Writes the wanted instance, its key and a queued operation in one transaction, and wakes the
 * reconciler. Gives the instance as PROVISIONING; nothing of it is real yet.
 * @throws {AppError} `not_found` for a foreign organization or key, `forbidden`, `no_free_port`, and what
 * quotas.ts throws where the plan or the region has no room.
 */
export async function createInstance(
  services: InstanceServices,
  caller: Caller,
  wanted: NewInstance,
): Promise<CreatedInstance> {
  requireRole(caller, wanted.organizationId, 'developer');
  requireFuture(wanted.expiresAt, services.clock.now());
  const capacityMib = await services.capacity.regionMib(wanted.region);
  const { orm, config, provisioner } = services;
  const created = await withFreePort(orm, wanted.region, config.instancePorts, async (nodePort) => {
    const em = orm.em.fork() as EntityManager;
    const place = { nodePort, capacityMib };
    return await em.transactional((tx) => writeInstance(tx, services, caller, wanted, place));
  });
  provisioner.wake();
  return created;
}

async function writeInstance(
  em: EntityManager,
  { clock, config, capacity }: InstanceServices,
  caller: Caller,
  wanted: NewInstance,
  { nodePort, capacityMib }: { nodePort: number; capacityMib: number },
): Promise<CreatedInstance> {
  const now = clock.now();
  const { organizationId, region, maxMemory: maxMemoryBytes } = wanted;
  const reservedMib = capacity.containerMib(maxMemoryBytes, wanted.persistence);
  const reservation = await lockOrganization(em, organizationId);
  const { fromBackup } = wanted;
  if (fromBackup) await lockRestoreSource(em, { organizationId, maxMemoryBytes }, fromBackup);
  await reserveOperation(em, reservation);
  const growth = { maxMemoryBytes, growthBytes: maxMemoryBytes, newInstances: 1 };
  await reserveMemory(em, reservation, growth);
  await reserveHostMemory(em, reservation, { region, growthMib: reservedMib, capacityMib });
  const instance = em.create(InstanceEntity, {
    id: newId('inst'),
    organizationId,
    name: wanted.name,
    region,
    tier: reservation.planName,
    createdAt: now,
    updatedAt: now,
    desired: 'present',
    generation: 1,
    restoreBackupId: fromBackup,
    restoreGeneration: fromBackup ? 1 : 0,
    labels: { ...wanted.labels },
    deletionProtection: wanted.deletionProtection,
    driftPolicy: wanted.driftPolicy,
    expiresAt: wanted.expiresAt,
    maxMemoryBytes,
    reservedMib,
    evictionPolicy: wanted.evictionPolicy,
    persistence: wanted.persistence,
    image: config.redisImage,
    nodePort,
    status: 'PROVISIONING',
    appliedGeneration: 0,
    leaseExpiresAtMs: 0,
    leaseEpoch: 0,
    attempts: 0,
    nextAttemptAtMs: 0,
  });
  await em.flush();
  const defaultKey = await giveKeys(em, instance, wanted.apiKeyIds, reservation, now);
  const operation = queueOperation(em, instance, 'create', now);
  const from = fromBackup && { fromBackup };
  const { id: operationId } = operation;
  const details = { name: wanted.name, maxMemory: maxMemoryBytes, operationId, ...from };
  const action = 'instance.create';
  recordChange(em, caller, now, { organizationId, action, targetId: instance.id, details });
  await em.flush();
  return { instance, operation, defaultKey };
}

async function giveKeys(
  em: EntityManager,
  instance: Instance,
  keyIds: readonly string[],
  reservation: Reservation,
  now: Date,
): Promise<CreatedInstance['defaultKey']> {
  const { id, organizationId, name } = instance;
  if (keyIds.length === 0) {
    await reserveKey(em, reservation);
    return await createBoundKey(em, {
      organizationId,
      instanceId: id,
      name: `${name}-default`,
      now,
    });
  }
  await bindExistingKeys(em, instance, keyIds, now);
  return undefined;
}
