import { findLostWays, type Way } from '../../../src/keys/lost-ways.ts';
import type { Orm } from '../../../src/store/database.ts';
import { DataKeyEntity, KeyBindingEntity } from '../../../src/store/entities/data-key.ts';
import { InstanceEntity } from '../../../src/store/entities/instance.ts';
import { testOnEachDatabase } from '../../support/databases.ts';
import { addDoorOrganization, addInstance, addKey } from '../edge/door.ts';

/** A way that is open: a key of its own to an instance of its own. */
async function addWay(orm: Orm, port: number): Promise<Way> {
  const instanceId = await addInstance(orm, { port });
  const { keyId } = await addKey(orm, [instanceId]);
  const em = orm.em.fork();
  const key = await em.findOneOrFail(DataKeyEntity, { id: keyId });
  const instance = await em.findOneOrFail(InstanceEntity, { id: instanceId });
  return { key, instance };
}

testOnEachDatabase('what another server took away is lost, and nothing else', async (t, orm) => {
  await addDoorOrganization(orm);
  const names = ['kept', 'deleted', 'unbound', 'gone', 'narrowed'] as const;
  const ways = await Promise.all(names.map((_, index) => addWay(orm, index + 1)));
  const [kept, deleted, unbound, gone, narrowed] = ways as [Way, Way, Way, Way, Way];
  t.deepEqual(await findLostWays(orm, ways), new Set());

  const em = orm.em.fork();
  await em.nativeDelete(KeyBindingEntity, { keyId: { $in: [deleted.key.id, unbound.key.id] } });
  await em.nativeDelete(DataKeyEntity, { id: deleted.key.id });
  await em.nativeUpdate(InstanceEntity, { id: gone.instance.id }, { desired: 'absent' });
  await em.nativeUpdate(DataKeyEntity, { id: narrowed.key.id }, { ipWhitelist: ['10.0.0.1'] });
  const lost = await findLostWays(orm, ways);
  t.deepEqual(lost, new Set([deleted, unbound, gone, narrowed]));
  t.false(lost.has(kept));
});
