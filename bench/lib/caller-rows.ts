/** Instances and keys for measuring the gateway: rows that point at one Redis, and the keys' users there. */
import { aclRules } from '../../src/keys/acl-rules.ts';
import { createDataSecret } from '../../src/keys/format.ts';
import { newId } from '../../src/lib/ids.ts';
import type { Orm } from '../../src/store/database.ts';
import { DataKeyEntity, KeyBindingEntity } from '../../src/store/entities/data-key.ts';
import { InstanceEntity } from '../../src/store/entities/instance.ts';
import { OrganizationEntity } from '../../src/store/entities/organization.ts';
import type { BenchRedis } from './bench-redis.ts';

/** The rate that the API calls unlimited: the plan's is what is left. */
const unlimitedRate = 1_000;

/** An instance as a caller knows it. */
export interface Caller {
  readonly instanceId: string;
  readonly keyId: string;
  readonly secret: string;
}

/** Adds so many organizations of the largest plan, each with a running instance and a key of its own. */
export async function addCallers(orm: Orm, redis: BenchRedis, count: number): Promise<Caller[]> {
  const em = orm.em.fork();
  const createdAt = new Date();
  const made = Array.from({ length: count }, () => ({
    organizationId: newId('org'),
    instanceId: newId('inst'),
    keyId: newId('key'),
    ...createDataSecret(),
  }));
  for (const { organizationId: id } of made) {
    em.create(OrganizationEntity, { id, name: 'bench', plan: 'dedicated', createdAt });
  }
  await em.flush();
  for (const { instanceId, organizationId } of made) {
    em.create(InstanceEntity, instanceRow(instanceId, organizationId));
  }
  await em.flush();
  for (const { keyId, organizationId, hash } of made) {
    em.create(DataKeyEntity, {
      id: keyId,
      organizationId,
      name: 'bench',
      secretHash: hash,
      permissions: ['read', 'write'],
      ipWhitelist: [],
      rateLimit: unlimitedRate,
      createdAt,
    });
  }
  await em.flush();
  for (const { instanceId, keyId } of made)
    em.create(KeyBindingEntity, { instanceId, keyId, createdAt });
  await em.flush();
  for (const { keyId: name, hash: passwordHash } of made) {
    const rules = aclRules({ name, passwordHash, permissions: ['read', 'write'] });
    await redis.admin.call('ACL', 'SETUSER', name, ...rules);
  }
  return made.map(({ instanceId, keyId, secret }) => ({ instanceId, keyId, secret }));

  function instanceRow(id: string, organizationId: string) {
    return {
      id,
      organizationId,
      name: 'bench',
      // A region each: a port may be used once in a region.
      region: id,
      tier: 'dedicated',
      createdAt,
      updatedAt: createdAt,
      desired: 'present' as const,
      generation: 1,
      maxMemoryBytes: 64 * 1024 * 1024,
      evictionPolicy: 'noeviction',
      persistence: false,
      image: 'redis',
      nodePort: redis.port,
      nodeHost: '127.0.0.1',
      status: 'RUNNING' as const,
      appliedGeneration: 1,
      leaseExpiresAtMs: 0,
      leaseEpoch: 0,
      attempts: 0,
      nextAttemptAtMs: 0,
    };
  }
}
