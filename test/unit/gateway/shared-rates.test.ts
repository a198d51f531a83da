/** One key's rate over two gateways on one database. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ExecutionContext } from 'ava';
import test from 'ava';
import { loadConfig } from '../../../src/config.ts';
import { createGateway } from '../../../src/gateway/gateway.ts';
import { createDatabasePorts } from '../../../src/keys/database-ports.ts';
import { createLogger } from '../../../src/lib/logger.ts';
import { openDatabase } from '../../../src/store/database.ts';
import { databaseNowMs } from '../../../src/store/database-time.ts';
import { DataKeyEntity } from '../../../src/store/entities/data-key.ts';
import { postgresLocation } from '../../support/databases.ts';
import { type RedisContainer, startRedisContainer } from '../../support/redis-container.ts';
import { addInstance, call, signUp } from './harness.ts';

const rate = 50;
const runMsMax = 30_000;

let redis: RedisContainer;
test.before(async () => {
  redis = await startRedisContainer();
});
test.after.always(async () => await redis?.remove());

/** A server of its own on a database that others use, too. */
async function startServer(t: ExecutionContext, location: Parameters<typeof openDatabase>[0]) {
  const orm = await openDatabase(location);
  const logger = createLogger('silent');
  const ports = createDatabasePorts({ orm, logger }, true);
  const settings = { ...loadConfig({}).gateway, proxyHops: 0 };
  const gateway = createGateway({ ports, logger, settings });
  const server = createServer(gateway.handle).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.teardown(async () => {
    server.closeAllConnections();
    server.close();
    await gateway.close();
    await orm.close();
  });
  return { orm, baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

test.serial('two servers together run as many commands a second as the key has', async (t) => {
  const location = await postgresLocation();
  const one = await startServer(t, location);
  const two = await startServer(t, location);
  const bound = await addInstance(one, { port: redis.port });
  await signUp(redis, bound);
  await one.orm.em.fork().nativeUpdate(DataKeyEntity, { id: bound.key.id }, { rateLimit: rate });
  const begun = await readSecond(one.orm);
  const deadlineMs = performance.now() + runMsMax;
  const counts = [0, 0];
  const isEnough = (): boolean => (counts[0] ?? 0) + (counts[1] ?? 0) >= 2 * rate;
  const callers = [one, two, one, two].map(async (server, index) => {
    while (!isEnough() && performance.now() < deadlineMs) {
      const { status } = await call(server, bound, '/ping');
      t.true(status === 200 || status === 429, String(status));
      const which = index % 2;
      if (status === 200) counts[which] = (counts[which] ?? 0) + 1;
    }
  });
  await Promise.all(callers);
  const seconds = (await readSecond(one.orm)) - begun + 1;
  const [first = 0, second = 0] = counts;
  t.true(first + second <= rate * seconds, `${counts} in ${seconds} s`);
  t.true(first > 0 && second > 0, String(counts));
  t.log(`${counts} in ${seconds} s`);
});

async function readSecond(orm: Awaited<ReturnType<typeof openDatabase>>): Promise<number> {
  const sql = `select ${databaseNowMs(orm)} / 1000 as second`;
  const [row] = (await orm.em.fork().getConnection().execute(sql)) as unknown as {
    second: string;
  }[];
  return Number(row?.second);
}
