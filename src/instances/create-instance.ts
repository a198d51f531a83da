import { UniqueConstraintViolationException } from '@mikro-orm/core';
import type { Caller } from '../accounts/account-keys.ts';
import { bindKey, createBoundKey } from '../keys/data-keys.ts';
import { AppError } from '../lib/errors.ts';
import { newId } from '../lib/ids.ts';
import type { EntityManager } from '../store/database.ts';
import { type DataKey, DataKeyEntity } from '../store/entities/data-key.ts';
import { type Instance, InstanceEntity } from '../store/entities/instance.ts';
import type { Operation } from '../store/entities/operation.ts';
import type { EvictionPolicy } from './eviction-policies.ts';
import { pickNodePort } from './node-ports.ts';
import { queueOperation } from './operations.ts';
import { requireOrganization } from './ownership.ts';
import { defaultTier } from './plans.ts';
import type { InstanceServices } from './services.ts';

/** A checked request for an instance. */
export interface NewInstance {
  readonly organizationId: string;
  readonly name: string;
  readonly maxMemory: number;
  readonly region: string;
  readonly evictionPolicy: EvictionPolicy;
  readonly persistence: boolean;
  /** Existing keys to bind; none means that a default key is made. */
  readonly apiKeyIds: readonly string[];
}

export interface CreatedInstance {
  readonly instance: Instance;
  readonly operation: Operation;
  /** The default key with its secret, where one was made. Shown once. */
  readonly defaultKey: { readonly key: DataKey; readonly secret: string } | undefined;
}

/** Two creates may pick the same port; the index lets one through and the other picks again. */
const portTries = 5;

/**
 * Writes the wanted instance, its key and a queued operation in one transaction, and wakes the
 * reconciler. Gives the instance as PROVISIONING; nothing of it is real yet.
 * @throws {AppError} `not_found` for a foreign organization or key, `no_free_port`.
 */
export async function createInstance(
  services: InstanceServices,
  caller: Caller,
  wanted: NewInstance,
): Promise<CreatedInstance> {
  requireOrganization(caller, wanted.organizationId);
  for (let tries = 1; ; tries += 1) {
    const em = services.orm.em.fork() as EntityManager;
    const nodePort = await pickNodePort(em, wanted.region, services.config.instancePorts);
    try {
      const created = await em.transactional((tx) => writeInstance(tx, services, wanted, nodePort));
      services.provisioner.wake();
      return created;
    } catch (error) {
      if (!(error instanceof UniqueConstraintViolationException) || tries === portTries)
        throw error;
    }
  }
}

async function writeInstance(
  em: EntityManager,
  { clock, config }: InstanceServices,
  wanted: NewInstance,
  nodePort: number,
): Promise<CreatedInstance> {
  const now = clock.now();
  const instance = em.create(InstanceEntity, {
    id: newId('inst'),
    organizationId: wanted.organizationId,
    name: wanted.name,
    region: wanted.region,
    tier: defaultTier,
    createdAt: now,
    updatedAt: now,
    desired: 'present',
    generation: 1,
    maxMemoryBytes: wanted.maxMemory,
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
  const defaultKey = await giveKeys(em, instance, wanted.apiKeyIds, now);
  const operation = queueOperation(em, instance, 'create', now);
  await em.flush();
  return { instance, operation, defaultKey };
}

async function giveKeys(
  em: EntityManager,
  instance: Instance,
  keyIds: readonly string[],
  now: Date,
): Promise<CreatedInstance['defaultKey']> {
  const { id, organizationId, name } = instance;
  if (keyIds.length === 0) {
    return await createBoundKey(em, {
      organizationId,
      instanceId: id,
      name: `${name}-default`,
      now,
    });
  }
  const keys = await em.find(DataKeyEntity, { id: { $in: [...keyIds] }, organizationId });
  const missing = keyIds.find((keyId) => !keys.some((key) => key.id === keyId));
  if (missing) throw new AppError('not_found', `There is no API key ${missing}.`);
  for (const key of keys) bindKey(em, id, key.id, now);
  return undefined;
}
