import test, { type ExecutionContext } from 'ava';
import { Redis } from 'ioredis';
import { pollUntil } from '../../src/lib/retry.ts';
import { type Orm, openDatabase } from '../../src/store/database.ts';
import { DutyEntity } from '../../src/store/entities/duty.ts';
import { InstanceEntity } from '../../src/store/entities/instance.ts';
import { postgresLocation } from '../support/databases.ts';
import { listContainersOf } from '../support/docker.ts';
import { runPulumi } from '../support/pulumi.ts';
import { startServers } from '../support/servers.ts';
import {
  awaitOperation,
  createRunningInstance,
  requestInstance,
  type TestInstance,
  type TestService,
} from '../support/service.ts';

const timeoutMs = 5 * 60_000;
const patience = { timeoutMs: 60_000, intervalMs: 20 };
/** A second is what is promised; a machine that is busy with other tests gets another one. */
const refusal = { timeoutMs: 2_000, intervalMs: 5 };

type Pair = [TestService, TestService];

test.serial(
  'two servers share the work, each duty is on one of them, and one goes on when the other is killed',
  async (t) => {
    t.timeout(timeoutMs);
    const { databaseUrl } = await postgresLocation();
    const [first, second] = (await startServers(t, databaseUrl, [{}, {}])) as Pair;
    t.is(first.organizationId, second.organizationId);
    const orm = await openDatabase({ databaseUrl, databaseFile: '' });
    t.teardown(() => orm.close());
    const [one, two] = await Promise.all([first, second].map((s) => createRunningInstance(s)));
    if (!one || !two) throw new Error('not created');
    const survivors = [one, two];

    // Which server made an instance makes no difference, not even to the one that never saw its stack.
    for (const server of [first, second]) {
      const path = `/api/v1/instances/${one.id}`;
      const maxMemory = server === first ? 48 * 2 ** 20 : 40 * 2 ** 20;
      const { operation } = await server.api.call('PATCH', path, { maxMemory });
      t.is((await awaitOperation(second, operation.id)).status, 'SUCCEEDED');
    }
    // A stack's file is on the server that ran it last; on the others an operator fetches it first.
    for (const { id } of survivors) {
      await runPulumi(second, `config refresh --force -s ${id}`);
      t.regex(await runPulumi(second, `preview -s ${id} --expect-no-changes`), /unchanged/);
    }
    const living = [first, second].map(({ pid }) => `:${pid}:`);
    for (const owner of await readOwners(orm)) {
      t.true(
        living.some((pid) => owner.includes(pid)),
        owner,
      );
    }

    // Both look, and one of them samples besides: nothing is counted twice.
    const set = `${second.url}/redis/${one.id}/set/a/b`;
    for (const commands of [20, 40]) {
      for (let count = 0; count < 20; count += 1) await fetch(set, bearer(one.key));
      const counts = () => Promise.all([first, second].map((server) => countCommands(server, one)));
      const areExact = async () => (await counts()).every((count) => count === commands);
      t.true(await pollUntil(async () => (await areExact()) || undefined, patience));
    }

    const open = await Promise.all([1, 2, 3].map(() => requestInstance(first)));
    await pollUntil(async () => (await isLeasedBy(orm, first, open)) || undefined, patience);
    await first.end('SIGKILL');
    for (const { id, operationId } of open) {
      const operation = await awaitOperation(second, operationId);
      t.is(operation.status, 'SUCCEEDED', JSON.stringify(operation.error));
      t.is((await listContainersOf(id)).length, 1);
    }
    const isAllOfSecond = async () =>
      (await readOwners(orm)).every((owner) => owner.includes(`:${second.pid}:`)) || undefined;
    t.true(await pollUntil(isAllOfSecond, patience));
    await deleteAll(t, second, [...survivors, ...open]);
  },
);

test.serial(
  'what is taken away through one server is refused by the other within a second, on every path',
  async (t) => {
    t.timeout(timeoutMs);
    const { databaseUrl } = await postgresLocation();
    const [first, second] = (await startServers(t, databaseUrl, [{}, {}])) as Pair;
    const instance = await createRunningInstance(first);
    const door = await readDoor(second, instance);
    const useGateway = async () =>
      (await fetch(`${second.url}/redis/${instance.id}/ping`, bearer(instance.key))).status;
    const isAnswered = async (status: number) =>
      t.true(await pollUntil(async () => (await useGateway()) === status || undefined, refusal));
    await isAnswered(200);

    const narrowed = await connect(t, door);
    const keys = `/api/v1/instances/${instance.id}/api-keys`;
    const { apiKeys } = await first.api.call('GET', keys);
    const path = `/api/v1/api-keys/${apiKeys[0].id}`;
    await first.api.call('PATCH', path, { ipWhitelist: ['192.0.2.1'] });
    await endsInTime(t, narrowed, 'an address that is not allowed any more');
    await isAnswered(403);
    await first.api.call('PATCH', path, { ipWhitelist: [] });
    await isAnswered(200);

    const deleted = await connect(t, door);
    await first.api.call('DELETE', path);
    await endsInTime(t, deleted, 'a deleted key');
    await isAnswered(401);
    await t.throwsAsync(connect(t, door), { message: /WRONGPASS/ });
  },
);

test.serial('an API, a reconciler, and a gateway with the door serve together', async (t) => {
  t.timeout(timeoutMs);
  const { databaseUrl } = await postgresLocation();
  const port = String(10_000 + Math.floor(Math.random() * 20_000));
  const [api, reconciler, gateway] = (await startServers(t, databaseUrl, [
    { SWIFTCACHE_ROLES: 'api', SWIFTCACHE_REDIS_PORT: port },
    { SWIFTCACHE_ROLES: 'reconciler' },
    { SWIFTCACHE_ROLES: 'gateway,edge', SWIFTCACHE_REDIS_PORT: port },
  ])) as [TestService, TestService, TestService];
  for (const { url } of [api, reconciler, gateway])
    t.is((await fetch(`${url}/readyz`)).status, 200);
  t.is((await fetch(`${gateway.url}/api/v1/instances`)).status, 404);
  t.is((await fetch(`${api.url}/redis/inst_x/ping`)).status, 404);

  const instance = await createRunningInstance(api);
  t.is(instance.port, Number(port), 'the API tells where the door is, which is elsewhere');
  const set = `${gateway.url}/redis/${instance.id}/set/greeting/hello`;
  t.deepEqual(await (await fetch(set, bearer(instance.key))).json(), { result: 'OK' });
  const redis = await connect(t, { ...instance, password: instance.key });
  t.is(await redis.get('greeting'), 'hello');
  const path = `/api/v1/instances/${instance.id}`;
  const { changes } = await api.api.call('POST', `${path}/preview`, { maxMemory: 64 * 2 ** 20 });
  t.true(changes.length > 0, 'a preview runs where no reconciler is');
  await runPulumi(reconciler, `preview -s ${instance.id} --expect-no-changes`);
  const { metrics } = await api.api.call('GET', `${path}/metrics`);
  t.truthy(metrics);
  await deleteAll(t, api, [instance]);
});

function bearer(key: string): RequestInit {
  return { headers: { Authorization: `Bearer ${key}` } };
}

/** The owner of every duty, once each has one. */
async function readOwners(orm: Orm): Promise<string[]> {
  const held = async () => {
    // A region's run is over once it is done.
    const all = await orm.em.fork().find(DutyEntity, {});
    const duties = all.filter(({ name }) => !name.startsWith('region/'));
    const owners = duties.flatMap(({ owner }) => owner ?? []);
    return duties.length > 0 && owners.length === duties.length ? owners : undefined;
  };
  return await pollUntil(held, patience);
}

async function countCommands(server: TestService, { id }: TestInstance): Promise<number> {
  const { metrics } = await server.api.call('GET', `/api/v1/instances/${id}/metrics`);
  const values: number[] = metrics.map(({ commands }: { commands: number }) => commands);
  return values.reduce((sum, value) => sum + value, 0);
}

async function isLeasedBy(
  orm: Orm,
  server: TestService,
  instances: readonly TestInstance[],
): Promise<boolean> {
  const id = { $in: instances.map((instance) => instance.id) };
  const leaseOwner = { $like: `%:${server.pid}:%` };
  return (await orm.em.fork().count(InstanceEntity, { id, leaseOwner })) > 0;
}

async function readDoor(server: TestService, { id, key }: TestInstance) {
  const { instance } = await server.api.call('GET', `/api/v1/instances/${id}`);
  return { host: instance.host, port: instance.port, password: key };
}

/** A connection that is signed in. @throws what it was refused with. */
async function connect(
  t: ExecutionContext,
  target: { host: string; port: number; password: string },
): Promise<Redis> {
  const { host, port, password } = target;
  const redis = new Redis({ host, port, password, lazyConnect: true, retryStrategy: () => null });
  let reason: Error | undefined;
  redis.on('error', (error) => {
    reason ??= error;
  });
  t.teardown(() => redis.disconnect());
  await redis.connect().catch((error: Error) => {
    throw reason ?? error;
  });
  return redis;
}

async function endsInTime(t: ExecutionContext, redis: Redis, what: string): Promise<void> {
  const isOver = async () => (redis.status === 'end' ? true : undefined);
  t.true(await pollUntil(isOver, refusal).catch(() => false), `${what} ends open connections`);
}

async function deleteAll(
  t: ExecutionContext,
  server: TestService,
  instances: readonly TestInstance[],
): Promise<void> {
  const deletes = instances.map(async ({ id }) => {
    const { operation } = await server.api.call('DELETE', `/api/v1/instances/${id}`);
    t.is((await awaitOperation(server, operation.id)).status, 'SUCCEEDED');
    t.deepEqual(await listContainersOf(id), []);
  });
  await Promise.all(deletes);
}
