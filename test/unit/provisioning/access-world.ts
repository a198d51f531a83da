/** A real Redis with its row in a database, and what puts keys in force there. */
import type { ExecutionContext } from 'ava';
import { createSealer } from '../../../src/lib/crypto.ts';
import { newId } from '../../../src/lib/ids.ts';
import { createAccessSync } from '../../../src/provisioning/access.ts';
import { createInstanceClients, passwordPlace } from '../../../src/provisioning/instance-redis.ts';
import type { Orm } from '../../../src/store/database.ts';
import { AuditEntryEntity } from '../../../src/store/entities/audit-entry.ts';
import { type Instance, InstanceEntity } from '../../../src/store/entities/instance.ts';
import { createTestClock } from '../../support/clock.ts';
import { captureLog } from '../../support/log-lines.ts';
import type { RedisContainer } from '../../support/redis-container.ts';
import { addInstance, readInstance } from '../../support/rows.ts';

export const platformPassword = 'the platform';
const sealer = createSealer(Buffer.alloc(32, 7));

/** Whatever a test before left is not there any more. */
export async function startAccessWorld(
  t: Pick<ExecutionContext, 'teardown'>,
  { orm, redis }: { orm: Orm; redis: RedisContainer },
) {
  const clock = createTestClock();
  const { logger, text } = captureLog('debug');
  const clients = createInstanceClients(sealer);
  t.teardown(() => clients.close());
  const accessSync = createAccessSync({ orm, clock, logger, clients });
  for (const name of await listUsers(redis)) {
    if (!['default', 'swiftcache'].includes(name)) await redis.deleteUser(name);
  }
  const instance = await addRunning(orm, redis);
  return { orm, clock, logger, log: text, clients, accessSync, instance, redis };
}

export type AccessWorld = Awaited<ReturnType<typeof startAccessWorld>>;

/** The row of a running instance that is this Redis. */
export async function addRunning(
  orm: Orm,
  { host, port }: Pick<RedisContainer, 'host' | 'port'>,
  changes: Partial<Instance> = {},
): Promise<Instance> {
  const id = newId('inst');
  return await addInstance(orm, {
    id,
    status: 'RUNNING',
    appliedGeneration: 1,
    // A region of its own, so that several may name one port.
    region: id,
    nodeHost: host,
    nodePort: port,
    passwordSealed: sealer.seal(platformPassword, passwordPlace(id)),
    ...changes,
  });
}

export async function listUsers({ admin }: RedisContainer): Promise<string[]> {
  return ((await admin.call('ACL', 'USERS')) as string[]).sort();
}

export async function listRules({ admin }: RedisContainer): Promise<string[]> {
  return (await admin.call('ACL', 'LIST')) as string[];
}

/** Marks that the keys of an instance have changed, as the use cases do. */
export async function raiseRevision({ orm }: { orm: Orm }, id: string): Promise<void> {
  const { accessRevision } = await readInstance(orm, id);
  const changes = { accessRevision: accessRevision + 1 };
  await orm.em.fork().nativeUpdate(InstanceEntity, { id }, changes);
}

/** What the audit log says was mended. */
export async function listMendings({ orm }: { orm: Orm }): Promise<Record<string, unknown>[]> {
  const entries = await orm.em.fork().find(AuditEntryEntity, { action: 'access.mend' });
  return entries.map(({ details }) => details);
}
