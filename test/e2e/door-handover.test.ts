/** A door is replaced while clients connect and write, as docs/operators.md says. */
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { Redis } from 'ioredis';
import { pollUntil } from '../../src/lib/retry.ts';
import { postgresLocation } from '../support/databases.ts';
import { startServers } from '../support/servers.ts';
import { createRunningInstance, type TestInstance, type TestService } from '../support/service.ts';
import { countWritten } from '../support/writer.ts';

const patience = { timeoutMs: 30_000, intervalMs: 20 };
const writersCount = 6;
/** Each connection lives for a few writes, so that somebody connects at any time. */
const writesEach = 4;

test('doors replace each other: nobody is refused a connection, and no acknowledged write is lost', async (t) => {
  const { databaseUrl } = await postgresLocation();
  const port = String(10_000 + Math.floor(Math.random() * 20_000));
  const door = {
    SWIFTCACHE_ROLES: 'edge',
    SWIFTCACHE_REDIS_SHARE_PORT: 'on',
    SWIFTCACHE_REDIS_PORT: port,
  };
  const [api, first] = (await startServers(t, databaseUrl, [
    { SWIFTCACHE_ROLES: 'api,reconciler', SWIFTCACHE_REDIS_PORT: port },
    door,
  ])) as [TestService, TestService];
  const instance = await createRunningInstance(api);
  const writers = startWriters(instance);
  let serving = first;
  // From the service's own process to door processes, and back.
  for (const processes of ['2', '0']) {
    await writers.proceed();
    const settings = { ...door, SWIFTCACHE_REDIS_PROCESSES: processes };
    const [successor] = (await startServers(t, databaseUrl, [settings])) as [TestService];
    t.is((await fetch(`${successor.url}/readyz`)).status, 200);
    await pollUntil(
      async () => successor.output().includes('connection opened') || undefined,
      patience,
    );
    t.is(await serving.end('SIGTERM'), 0);
    await writers.proceed();
    serving = successor;
  }
  const { refused, written, broken } = await writers.stop();
  t.is(refused, 0);
  const redis = new Redis({ host: instance.host, port: instance.port, password: instance.key });
  t.teardown(() => redis.disconnect());
  t.is(await countWritten(redis, written), written);
  t.log(`${written} writes on ${Math.floor(written / writesEach)} connections, ${broken} broken`);
});

/** Clients that connect and write `w:0`, `w:1`, … until each is acknowledged. */
function startWriters({ host, port, key }: TestInstance) {
  let next = 0;
  let acknowledged = 0;
  let refused = 0;
  let broken = 0;
  let isStopping = false;

  /** Writes some on a connection of its own; gives those that were not acknowledged. */
  async function writeSome(numbers: readonly number[]): Promise<readonly number[]> {
    const redis = new Redis({
      host,
      port,
      password: key,
      lazyConnect: true,
      enableReadyCheck: false,
      retryStrategy: () => null,
    });
    redis.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') refused += 1;
    });
    let done = 0;
    try {
      await redis.connect();
      for (const number of numbers) {
        await redis.set(`w:${number}`, String(number));
        done += 1;
        acknowledged += 1;
      }
    } catch {
      broken += 1;
    } finally {
      redis.disconnect();
    }
    return numbers.slice(done);
  }

  async function write(): Promise<void> {
    while (!isStopping) {
      let left: readonly number[] = Array.from({ length: writesEach }, (_, index) => next + index);
      next += writesEach;
      while (left.length > 0) left = await writeSome(left);
    }
  }

  const writing = Array.from({ length: writersCount }, write);
  return {
    /** Waits until all have written on, each on new connections. */
    async proceed(): Promise<void> {
      const wanted = acknowledged + 3 * writersCount * writesEach;
      while (acknowledged < wanted) await sleep(20);
    },
    async stop() {
      isStopping = true;
      await Promise.all(writing);
      return { refused, broken, written: next };
    },
  };
}
