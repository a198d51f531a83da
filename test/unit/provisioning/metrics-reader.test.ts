import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import test from 'ava';
import { platformUser } from '../../../infra/platform-user.ts';
import { createSealer } from '../../../src/lib/crypto.ts';
import { baselineAfter, measureGain, zero } from '../../../src/metrics/measure-gain.ts';
import { createInstanceClients, passwordPlace } from '../../../src/provisioning/instance-redis.ts';
import { createMetricsReader } from '../../../src/provisioning/metrics-reader.ts';
import { startRedisContainer } from '../../support/redis-container.ts';

const sealer = createSealer(randomBytes(32));
const id = 'inst_aaaaaaaaaaaaaaaa';
const password = 'for-tests-only';

test('a reader tells exactly what others did, and nothing of what it did itself', async (t) => {
  const container = await startRedisContainer(t);
  const { admin, host, port } = container;
  const openPlatform = async (): Promise<void> => {
    await admin.call('ACL', 'SETUSER', platformUser, 'on', `>${password}`, '~*', '&*', '+@all');
  };
  await openPlatform();
  const sealed = sealer.seal(password, passwordPlace(id));
  const instance = { id, nodeHost: host, nodePort: port, passwordSealed: sealed };
  const clients = createInstanceClients(sealer);
  t.teardown(() => clients.close());
  const reader = createMetricsReader(sealer, clients);
  t.teardown(() => reader.close());

  const first = baselineAfter(await reader.read(instance));
  const idle = await reader.read(instance);
  t.deepEqual(measureGain(first, idle), zero);
  // The platform looks at it for other reasons too, over a connection that closes at times.
  await clients.use(instance, (redis) => redis.config('GET', '*'));
  const looked = await reader.read(instance);
  t.deepEqual(measureGain(baselineAfter(idle), looked), zero);
  t.is(looked.reading.clients, idle.reading.clients);
  await clients.use(instance, (redis) => redis.acl('LIST'));
  clients.close();
  const closed = await reader.read(instance);
  t.deepEqual(measureGain(baselineAfter(looked), closed), zero);
  // A connection of a reader that knows nothing of the one before: a restart of the service.
  const another = createMetricsReader(sealer, clients);
  t.teardown(() => another.close());
  const afterRestart = await another.read(instance);
  t.deepEqual(measureGain(baselineAfter(closed), afterRestart), zero);

  await admin.set('key', 'value');
  for (let times = 0; times < 30; times += 1) await admin.get('key');
  for (let times = 0; times < 20; times += 1) await admin.get('nothing');
  await admin.ping();
  const busy = await another.read(instance);
  const gain = measureGain(baselineAfter(afterRestart), busy);
  t.like(gain, { commands: 51, hits: 30, misses: 20 });
  const calls = Object.values(gain?.latency ?? {}).reduce((sum, more) => sum + more, 0);
  t.is(calls, 51);
  t.is(busy.reading.clients, 2);

  await container.restart();
  await openPlatform();
  await admin.get('nothing');
  // The connection is found cut; the look after it makes another.
  await another.read(instance).catch(() => undefined);
  const restarted = await another.read(instance);
  t.like(measureGain(baselineAfter(busy), restarted), { commands: 1, hits: 0, misses: 1 });
});

test('an instance that hangs is given up after a bounded time', async (t) => {
  const container = await startRedisContainer(t);
  const { admin, host, port } = container;
  await admin.call('ACL', 'SETUSER', platformUser, 'on', `>${password}`, '~*', '&*', '+@all');
  const sealed = sealer.seal(password, passwordPlace(id));
  const instance = { id, nodeHost: host, nodePort: port, passwordSealed: sealed };
  const reader = createMetricsReader(sealer, createInstanceClients(sealer));
  t.teardown(() => reader.close());
  await reader.read(instance);
  await container.pause();
  const startedMs = performance.now();
  await t.throwsAsync(reader.read(instance));
  t.true(performance.now() - startedMs < 2_000);
  await container.unpause();
  t.is((await reader.read(instance)).reading.evicted, 0);
});

test('an instance that refuses the platform is an error without the password', async (t) => {
  const { host, port } = await startRedisContainer(t);
  const sealed = sealer.seal(password, passwordPlace(id));
  const reader = createMetricsReader(sealer, createInstanceClients(sealer));
  t.teardown(() => reader.close());
  const instance = { id, nodeHost: host, nodePort: port, passwordSealed: sealed };
  const error = await t.throwsAsync(reader.read(instance), { message: /WRONGPASS/ });
  t.false(inspect(error, { depth: 9 }).includes(password));
});
