/**
 * Access control inside an instance: one ACL user a bound key, saved where a restart finds it.
 *
 * Guarantee: after `syncAccess` Redis has exactly the users the database says (and `default`, off, and the
 * platform's own), whatever it had before; running it twice changes nothing the second time.
 */
import type { Redis } from 'ioredis';
import { platformUser } from '../../infra/platform-user.ts';
import { aclRules } from '../keys/acl-rules.ts';
import { listAclUsers } from '../keys/data-keys.ts';
import type { Sealer } from '../lib/crypto.ts';
import type { EntityManager, Orm } from '../store/database.ts';
import type { Instance } from '../store/entities/instance.ts';
import { withInstanceRedis } from './instance-redis.ts';

/** Users that are not keys: Redis's own and the platform's. */
const systemUsers = ['default', platformUser];

/** Makes the instance's ACL users those of the database. @throws when the instance does not answer. */
export async function syncAccess(
  { orm, sealer }: { orm: Orm; sealer: Sealer },
  instance: Instance,
): Promise<void> {
  const wanted = await listAclUsers(orm.em.fork() as EntityManager, instance.id);
  await withInstanceRedis(sealer, instance, async (redis) => {
    const present = (await redis.acl('USERS')) as string[];
    for (const user of wanted) await redis.acl('SETUSER', user.name, ...aclRules(user));
    const names = new Set([...systemUsers, ...wanted.map(({ name }) => name)]);
    await deleteUsers(
      redis,
      present.filter((name) => !names.has(name)),
    );
    await redis.acl('SAVE');
  });
}

async function deleteUsers(redis: Redis, names: readonly string[]): Promise<void> {
  if (names.length > 0) await redis.acl('DELUSER', ...names);
}
