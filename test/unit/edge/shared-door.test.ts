import type { ExecutionContext } from 'ava';
import { createEdge } from '../../../src/edge/edge.ts';
import { createDatabasePorts } from '../../../src/keys/database-ports.ts';
import type { Orm } from '../../../src/store/database.ts';
import { KeyBindingEntity } from '../../../src/store/entities/data-key.ts';
import { testOnEachDatabase } from '../../support/databases.ts';
import { captureLog } from '../../support/log-lines.ts';
import { addDoorOrganization, addInstance, addKey, openClient, startStandIn } from './door.ts';

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
  const { logger } = captureLog();
  const ports = createDatabasePorts({ orm, logger }, true);
  const edge = createEdge({ ports, logger, limits: { recheckMs: 20 } });
  const port = await edge.listen({ host: '127.0.0.1', port: { number: 0, fixed: true } });
  t.teardown(() => edge.close());
  return () => openClient(t, port);
}
