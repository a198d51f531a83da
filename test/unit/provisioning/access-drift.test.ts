/** What differs though nobody changed a key is mended and noted, and nothing else is. */
import test from 'ava';
import { DataKeyEntity } from '../../../src/store/entities/data-key.ts';
import { openTestDatabase } from '../../support/databases.ts';
import { type RedisContainer, startRedisContainer } from '../../support/redis-container.ts';
import { addDataKey } from '../../support/rows.ts';
import {
  listMendings,
  listRules,
  listUsers,
  platformPassword,
  raiseRevision,
  startAccessWorld,
} from './access-world.ts';

let redis: RedisContainer;
test.before(async () => {
  redis = await startRedisContainer(undefined, { platformPassword });
});
test.after.always(async () => await redis?.remove());

async function prepare(t: Parameters<typeof openTestDatabase>[0]) {
  return await startAccessWorld(t, { orm: await openTestDatabase(t), redis });
}

test.serial('what differs though no key was changed is mended and noted', async (t) => {
  const { orm, instance, accessSync, log } = await prepare(t);
  const { id, organizationId } = instance;
  const [gone, more, less] = [
    await addDataKey(orm, organizationId, {}, [id]),
    await addDataKey(orm, organizationId, { permissions: ['read'] }, [id]),
    await addDataKey(orm, organizationId, {}, [id]),
  ];
  await raiseRevision({ orm }, id);
  await accessSync.sync(id);
  const rules = await listRules(redis);
  await redis.deleteUser(gone.id);
  await redis.admin.call('ACL', 'SETUSER', more.id, '+@all', 'nopass');
  await redis.admin.call('ACL', 'SETUSER', less.id, 'off');
  await redis.admin.call('ACL', 'SETUSER', 'intruder', 'on', 'nopass', '~*', '+@all');
  await redis.admin.call('ACL', 'SETUSER', 'default', 'on', 'nopass', '~*', '+@all');
  const drift = await accessSync.sync(id);
  t.deepEqual(drift.missing, [gone.id]);
  t.deepEqual(drift.extra, ['intruder']);
  t.deepEqual([...drift.changed].sort(), ['default', more.id, less.id].sort());
  t.deepEqual((await listRules(redis)).sort(), rules.sort());
  const [mending, ...others] = await listMendings({ orm });
  t.deepEqual(others, []);
  t.like(mending, { missing: [gone.id], extra: [], otherUsers: 2 });
  t.notRegex(log(), /intruder/);
});

test.serial('what differs besides a change of keys is noted, and the change is not', async (t) => {
  const { orm, instance, accessSync } = await prepare(t);
  const { id, organizationId } = instance;
  const addKey = async (permissions: ('read' | 'write')[] = ['read']) => {
    return await addDataKey(orm, organizationId, { permissions }, [id]);
  };
  const [gone, widened, deleted] = [await addKey(), await addKey(), await addKey()];
  await raiseRevision({ orm }, id);
  await accessSync.sync(id);
  // Each start of Redis tells rules in another order; that alone is no difference.
  await redis.restart();
  await redis.deleteUser(gone.id);
  await redis.admin.call('ACL', 'SETUSER', widened.id, '+@all');
  await redis.admin.call('ACL', 'SETUSER', 'intruder', 'on', 'nopass', '~*', '+@all');
  await orm.em.fork().nativeDelete(DataKeyEntity, { id: deleted.id });
  const added = await addKey();
  await raiseRevision({ orm }, id);
  const drift = await accessSync.sync(id);
  t.deepEqual(drift, { missing: [gone.id], extra: ['intruder'], changed: [widened.id] });
  const users = ['default', 'swiftcache', gone.id, widened.id, added.id];
  t.deepEqual(await listUsers(redis), users.sort());
  t.is((await listMendings({ orm })).length, 1);
});
