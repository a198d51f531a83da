import type { ExecutionContext } from 'ava';
import { createEdge } from '../../../src/edge/edge.ts';
import { findLostRoutes } from '../../../src/edge/lost-routes.ts';
import type { Route } from '../../../src/edge/route.ts';
import type { Orm } from '../../../src/store/database.ts';
import { DataKeyEntity, KeyBindingEntity } from '../../../src/store/entities/data-key.ts';
import { InstanceEntity } from '../../../src/store/entities/instance.ts';
import { testOnEachDatabase } from '../../support/databases.ts';
import { captureLog } from '../../support/log-lines.ts';
import { addDoorOrganization, addInstance, addKey, openClient, startStandIn } from './door.ts';

/** A way that is open: a key of its own to an instance of its own. */
async function addRoute(orm: Orm, port: number): Promise<Route> {
  const instanceId = await addInstance(orm, { port });
  const { keyId } = await addKey(orm, [instanceId]);
  const em = orm.em.fork();
  const key = await em.findOneOrFail(DataKeyEntity, { id: keyId });
  const instance = await em.findOneOrFail(InstanceEntity, { id: instanceId });
  return { key, instance, host: '127.0.0.1', port };
}

testOnEachDatabase('what another server took away is lost, and nothing else', async (t, orm) => {
  await addDoorOrganization(orm);
  const names = ['kept', 'deleted', 'unbound', 'gone', 'narrowed'] as const;
  const routes = await Promise.all(names.map((_, index) => addRoute(orm, index + 1)));
  const [kept, deleted, unbound, gone, narrowed] = routes as [Route, Route, Route, Route, Route];
  t.deepEqual(await findLostRoutes(orm, routes), new Set());

  const em = orm.em.fork();
  await em.nativeDelete(KeyBindingEntity, { keyId: { $in: [deleted.key.id, unbound.key.id] } });
  await em.nativeDelete(DataKeyEntity, { id: deleted.key.id });
  await em.nativeUpdate(InstanceEntity, { id: gone.instance.id }, { desired: 'absent' });
  await em.nativeUpdate(DataKeyEntity, { id: narrowed.key.id }, { ipWhitelist: ['10.0.0.1'] });
  const lost = await findLostRoutes(orm, routes);
  t.deepEqual(lost, new Set([deleted, unbound, gone, narrowed]));
  t.false(lost.has(kept));
});

testOnEachDatabase(
  'a door that shares its database ends what another server unbound, and keeps the rest',
  async (t, orm) => {
    await addDoorOrganization(orm);
    const { port } = await startStandIn(t);
    const instanceId = await addInstance(orm, { port });
    const [taken, kept] = [await addKey(orm, [instanceId]), await addKey(orm, [instanceId])];
    const client = await openSharedDoor(t, orm);
    const [ending, staying] = [await client(), await client()];
    ending.send(`AUTH ${taken.secret}\r\n`);
    staying.send(`AUTH ${kept.secret}\r\n`);
    await Promise.all([ending.readLine(), staying.readLine()]);
    await orm.em.fork().nativeDelete(KeyBindingEntity, { keyId: taken.keyId });
    await ending.readToEnd();
    staying.send('kept\r\n');
    t.is(await staying.readLine(), 'kept');
  },
);

async function openSharedDoor(t: ExecutionContext, orm: Orm) {
  const edge = createEdge({ orm, logger: captureLog().logger, recheckMs: 20 });
  const port = await edge.listen({ host: '127.0.0.1', port: { number: 0, fixed: true } });
  t.teardown(() => edge.close());
  return () => openClient(t, port);
}
