/** Rows for a measurement, written before the service starts. */
import { issueAccountKey } from '../../src/accounts/account-keys.ts';
import { createDataSecret } from '../../src/keys/format.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { newId } from '../../src/lib/ids.ts';
import { type DatabaseLocation, type Orm, openDatabase } from '../../src/store/database.ts';
import { DataKeyEntity, KeyBindingEntity } from '../../src/store/entities/data-key.ts';
import { InstanceEntity } from '../../src/store/entities/instance.ts';
import { OrganizationEntity } from '../../src/store/entities/organization.ts';

const mib = 1024 * 1024;
const keysPerInstance = 2;
const firstNodePort = 20_000;

export interface Account {
  readonly organizationId: string;
  /** Account keys; each may ask so often a minute, as the plan says. */
  readonly secrets: readonly string[];
}

/** Opens a database, whatever there is of it, for the time of `use`. */
export async function withDatabase<Result>(
  location: DatabaseLocation,
  use: (orm: Orm) => Promise<Result>,
): Promise<Result> {
  const orm = await openDatabase(location);
  try {
    return await use(orm);
  } finally {
    await orm.close();
  }
}

/** An organization of the largest plan with some account keys. */
export async function addAccount(orm: Orm, keys: number): Promise<Account> {
  const em = orm.em.fork();
  const { id: organizationId } = em.create(OrganizationEntity, {
    id: newId('org'),
    name: 'bench',
    plan: 'dedicated',
    createdAt: new Date(),
  });
  await em.flush();
  const secrets: string[] = [];
  for (let index = 0; index < keys; index += 1) {
    const wanted = { organizationId, name: `key ${index}` };
    const { secret } = await issueAccountKey({ orm, clock: systemClock }, wanted);
    secrets.push(secret);
  }
  return { organizationId, secrets };
}

/**
 * Instances with their keys, as their owner would have stopped them: nothing of them runs, and nobody has
 * to do anything about them. Gives the id of the one in the middle.
 */
export async function addStoppedInstances(
  orm: Orm,
  organizationId: string,
  count: number,
): Promise<string> {
  const em = orm.em.fork();
  const ids = Array.from({ length: count }, () => newId('inst'));
  for (const [index, id] of ids.entries()) {
    const createdAt = new Date(Date.UTC(2024, 0, 15) + index * 60_000);
    em.create(InstanceEntity, {
      id,
      organizationId,
      name: `cache-${index}`,
      region: 'eu-central',
      tier: 'dedicated',
      createdAt,
      updatedAt: createdAt,
      desired: 'present',
      power: 'off',
      generation: 2,
      labels: { environment: 'staging' },
      maxMemoryBytes: 64 * mib,
      reservedMib: 160,
      evictionPolicy: 'allkeys-lru',
      persistence: false,
      image: `sha256:${'a'.repeat(64)}`,
      nodePort: firstNodePort + index,
      nodeHost: '127.0.0.1',
      status: 'STOPPED',
      appliedGeneration: 2,
      leaseExpiresAtMs: 0,
      leaseEpoch: 2,
      attempts: 0,
      nextAttemptAtMs: 0,
    });
  }
  await em.flush();
  const keys = ids.flatMap((instanceId) =>
    Array.from({ length: keysPerInstance }, () => ({ instanceId, keyId: newId('key') })),
  );
  for (const { instanceId, keyId } of keys) {
    em.create(DataKeyEntity, {
      id: keyId,
      organizationId,
      name: 'a key',
      secretHash: createDataSecret().hash,
      permissions: ['read', 'write'],
      ipWhitelist: [],
      rateLimit: 1000,
      createdAt: new Date(),
      madeForInstanceId: instanceId,
    });
  }
  await em.flush();
  for (const key of keys) em.create(KeyBindingEntity, { ...key, createdAt: new Date() });
  await em.flush();
  return ids[Math.floor(count / 2)] ?? '';
}
