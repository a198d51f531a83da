/** Several doors on one port: how a door is replaced while clients connect. */
import test from 'ava';
import { createEdge, type Edge } from '../../../src/edge/edge.ts';
import { createDatabasePorts } from '../../../src/keys/database-ports.ts';
import { captureLog } from '../../support/log-lines.ts';
import { addInstance, addKey, openClient, openStore, startStandIn } from './door.ts';

test('a second door takes the port beside the first, and serves alone once the first has closed', async (t) => {
  const orm = await openStore(t);
  const standIn = await startStandIn(t);
  const { secret } = await addKey(orm, [await addInstance(orm, { port: standIn.port })]);
  const { logger } = captureLog();
  const ports = createDatabasePorts({ orm, logger }, false);
  const open = async (number: number): Promise<[Edge, number]> => {
    const edge = createEdge({ ports, logger });
    t.teardown(() => edge.close());
    const port = { number, fixed: true };
    return [edge, await edge.listen({ host: '127.0.0.1', port, isShared: true })];
  };
  const [first, port] = await open(0);
  await open(port);
  const signIn = async () => {
    const client = await openClient(t, port);
    client.send(`AUTH ${secret}\r\n`);
    return { ...client, answer: await client.readLine() };
  };
  // The kernel shares them out, so some of these are each door's.
  const before = await Promise.all(Array.from({ length: 20 }, signIn));
  for (const { answer } of before) t.is(answer, '+OK');
  await first.close();
  const after = await Promise.all(Array.from({ length: 20 }, signIn));
  for (const { answer } of after) t.is(answer, '+OK');
  let stayed = 0;
  for (const { send, readLine } of before) {
    send('still here\r\n');
    stayed += (await readLine().catch(() => '')) === 'still here' ? 1 : 0;
  }
  t.true(stayed > 0 && stayed < 20, `${stayed} of 20 were the second door's`);
});

test('without leave to share, a second door is refused the port', async (t) => {
  const orm = await openStore(t);
  const { logger } = captureLog();
  const ports = createDatabasePorts({ orm, logger }, false);
  const [first, second] = [createEdge({ ports, logger }), createEdge({ ports, logger })];
  t.teardown(() => Promise.all([first.close(), second.close()]));
  const number = await first.listen({ host: '127.0.0.1', port: { number: 0, fixed: true } });
  const taken = second.listenTls({ host: '127.0.0.1', port: { number, fixed: true } });
  await t.throwsAsync(taken, { message: /set SWIFTCACHE_REDIS_TLS_PORT to a free port/ });
});
