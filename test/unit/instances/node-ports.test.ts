import { type AddressInfo, createServer, type Server } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { pickNodePort, withFreePort } from '../../../src/instances/node-ports.ts';
import { AppError } from '../../../src/lib/errors.ts';
import type { EntityManager, Orm } from '../../../src/store/database.ts';
import { openTestDatabase, testOnEachDatabase } from '../../support/databases.ts';
import { addInstance } from '../../support/rows.ts';

const region = 'eu-central';

function pick(orm: Orm, first: number, last: number, where = region): Promise<number> {
  return pickNodePort(orm.em.fork() as EntityManager, where, { first, last });
}

/** A listener on a port of the system's choice (or the given one), closed with the test. */
async function listen(
  t: ExecutionContext,
  port = 0,
): Promise<{ port: number; close(): Promise<void> }> {
  const server: Server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  const close = (): Promise<void> => {
    return new Promise((resolve) => server.close(() => resolve()));
  };
  t.teardown(close);
  return { port: (server.address() as AddressInfo).port, close };
}

/** A port that was free a moment ago. */
async function findFreePort(t: ExecutionContext): Promise<number> {
  const { port, close } = await listen(t);
  await close();
  return port;
}

testOnEachDatabase('a port that an instance of the region has is not given', async (t, orm) => {
  const port = await findFreePort(t);
  await addInstance(orm, { nodePort: port });
  await t.throwsAsync(pick(orm, port, port), { instanceOf: AppError, code: 'no_free_port' });
});

testOnEachDatabase('a port that an instance of another region has is given', async (t, orm) => {
  const port = await findFreePort(t);
  await addInstance(orm, { nodePort: port, region: 'elsewhere' });
  t.is(await pick(orm, port, port), port);
});

testOnEachDatabase('a port that was given back is given again', async (t, orm) => {
  const port = await findFreePort(t);
  await addInstance(orm, { nodePort: null, status: 'DELETED' });
  t.is(await pick(orm, port, port), port);
});

test('a port that another program listens on is not given', async (t) => {
  const orm = await openTestDatabase(t);
  const { port, close } = await listen(t);
  await t.throwsAsync(pick(orm, port, port), { instanceOf: AppError, code: 'no_free_port' });
  await close();
  t.is(await pick(orm, port, port), port);
});

test('a port given is free to listen on', async (t) => {
  const orm = await openTestDatabase(t);
  const port = await pick(orm, 40_000, 49_999);
  await t.notThrowsAsync(listen(t, port));
});

test('of a range the one port that is left is found, wherever the search begins', async (t) => {
  const orm = await openTestDatabase(t);
  const left = await findFreePort(t);
  const first = left - 5;
  for (let port = first; port <= left + 5; port += 1) {
    if (port !== left) await addInstance(orm, { nodePort: port });
  }
  for (let times = 0; times < 20; times += 1) t.is(await pick(orm, first, left + 5), left);
});

test('a range that is used up is refused with its size and no port', async (t) => {
  const orm = await openTestDatabase(t);
  for (const nodePort of [21_000, 21_001, 21_002]) await addInstance(orm, { nodePort });
  const error = await t.throwsAsync(pick(orm, 21_000, 21_002), { instanceOf: AppError });
  t.is(error.message, 'All 3 instance ports are in use.');
  t.is((error as AppError).status, 503);
});

testOnEachDatabase('who loses the race for a port gets another', async (t, orm) => {
  const range = { first: 21_100, last: 21_199 };
  const tried: number[] = [];
  const instance = await withFreePort(orm, region, range, async (nodePort) => {
    tried.push(nodePort);
    // Somebody else has it first, the first time.
    if (tried.length === 1) await addInstance(orm, { nodePort });
    return await addInstance(orm, { nodePort });
  });
  t.is(tried.length, 2);
  t.not(tried[0], tried[1]);
  t.is(instance.nodePort, tried[1]);
});

testOnEachDatabase('what fails for another reason is not tried again', async (t, orm) => {
  let tries = 0;
  const write = async (): Promise<never> => {
    tries += 1;
    throw new AppError('quota_exceeded');
  };
  const range = { first: 21_100, last: 21_199 };
  await t.throwsAsync(withFreePort(orm, region, range, write), { code: 'quota_exceeded' });
  t.is(tries, 1);
});
