/** Settings of an instance that lives change without a restart, or are given up without harm. */
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import type { Redis } from 'ioredis';
import { containerMemoryMib } from '../../infra/sizing.ts';
import { pollUntil } from '../../src/lib/retry.ts';
import { readMemoryLimit } from '../support/cgroup.ts';
import { containerOf } from '../support/docker.ts';
import { agree, connect, fill, patch, power } from '../support/living-instance.ts';
import { runPulumi } from '../support/pulumi.ts';
import { awaitOperation, createRunningInstance, startTestService } from '../support/service.ts';
import { countWritten, startWriter } from '../support/writer.ts';

const mib = 1024 * 1024;
const liveWithinMs = 5_000;

test.serial('memory and eviction change under a writing client without its noticing', async (t) => {
  const service = await startTestService(t);
  const instance = await createRunningInstance(service, { maxMemory: 64 * mib });
  const container = await containerOf(instance.id);
  const { Id: idBefore } = await container.inspect();
  const writer = await startWriter(instance);
  await sleep(300);

  const last = { maxMemory: 96 * mib, evictionPolicy: 'allkeys-lfu', persistence: true };
  for (const changes of [{ maxMemory: 192 * mib, evictionPolicy: 'volatile-lru' }, last]) {
    const startedMs = performance.now();
    const preview = await patch(service, instance, '/preview', changes, 'POST');
    t.deepEqual(describe(preview.changes), {
      redis: ['memory', 'memorySwap'],
      settings: ['evictionPolicy', 'maxMemoryBytes', ...(changes === last ? ['persistence'] : [])],
    });
    const previewedMs = performance.now();
    const { operation, instance: shown } = await patch(service, instance, '', changes);
    t.is(shown.maxMemory, changes.maxMemory);
    t.is(shown.status, 'RUNNING');
    await pollUntil(async () => (await isInForce(writer.redis, container, changes)) || undefined, {
      timeoutMs: liveWithinMs,
      intervalMs: 20,
    });
    t.log(`preview ${Math.round(previewedMs - startedMs)} ms, in force after`, {
      ms: Math.round(performance.now() - previewedMs),
    });
    t.is((await awaitOperation(service, operation.id)).status, 'SUCCEEDED');
    t.regex(await runPulumi(service, `preview -s ${instance.id} --expect-no-changes`), /unchanged/);
  }
  t.is((await patch(service, instance, '/preview', last, 'POST')).changes.length, 0);

  const { written, errors, held } = await writer.stop();
  t.deepEqual(errors, []);
  t.true(held, 'the connection was cut');
  t.true(written > 100);
  const redis = connect(instance);
  t.is(await countWritten(redis, written), written);
  redis.disconnect();

  t.is((await (await containerOf(instance.id)).inspect()).Id, idBefore, 'another container');
  await container.restart();
  const again = connect(instance);
  await pollUntil(async () => (await isInForce(again, container, last)) || undefined, {
    timeoutMs: 10_000,
    intervalMs: 50,
  });
  again.disconnect();
});

test.serial('shrinking: refused where nothing may be evicted, else Redis makes room', async (t) => {
  const service = await startTestService(t);
  const instance = await createRunningInstance(service, {
    maxMemory: 128 * mib,
    evictionPolicy: 'noeviction',
  });
  const redis = connect(instance);
  await fill(redis, 80);
  const used = await redis.dbsize();

  const path = `/api/v1/instances/${instance.id}`;
  const refusal = await service.api.call('PATCH', path, { maxMemory: 64 * mib }, 409);
  t.is(refusal.code, 'memory_in_use');
  t.true(refusal.limit.used > 64 * mib);
  t.regex(await redis.info('memory'), new RegExp(`^maxmemory:${128 * mib}\\r?$`, 'm'));
  t.is(await redis.dbsize(), used);
  t.is((await service.api.call('GET', path)).instance.maxMemory, 128 * mib);

  const change = { maxMemory: 24 * mib, evictionPolicy: 'allkeys-lru' };
  const { operation } = await patch(service, instance, '', change);
  const ended = await awaitOperation(service, operation.id);
  t.is(ended.status, 'SUCCEEDED', JSON.stringify(ended));
  const container = await containerOf(instance.id);
  t.true(await isInForce(redis, container, change));
  t.is((await container.inspect()).RestartCount, 0);
  t.true((await redis.dbsize()) > 0);
  await redis.set('after', 'the change');
  redis.disconnect();
});

test.serial(
  'a size that the data cannot be brought to is given up, and the instance goes on as it was',
  async (t) => {
    const service = await startTestService(t);
    const instance = await createRunningInstance(service, {
      maxMemory: 160 * mib,
      evictionPolicy: 'volatile-lru',
    });
    const redis = connect(instance);
    // Without a time to live, nothing may be evicted.
    await fill(redis, 120);
    const keys = await redis.dbsize();
    const { operation } = await patch(service, instance, '', { maxMemory: 16 * mib });
    const ended = await awaitOperation(service, operation.id);
    t.is(ended.status, 'FAILED');
    t.is(ended.error.code, 'memory_in_use');
    const before = { maxMemory: 160 * mib, evictionPolicy: 'volatile-lru' };
    const container = await containerOf(instance.id);
    const isBack = async () => (await isInForce(redis, container, before)) || undefined;
    t.true(await pollUntil(isBack, { timeoutMs: 20_000, intervalMs: 100 }));
    const path = `/api/v1/instances/${instance.id}`;
    const { instance: shown } = await service.api.call('GET', path);
    t.like(shown, { status: 'RUNNING', maxMemory: 160 * mib });
    t.is(shown.failure.code, 'memory_in_use');
    t.is(await redis.dbsize(), keys);
    await redis.set('and', 'writes');
    redis.disconnect();
    await agree(t, service, instance);
    await power(t, service, instance, 'restart', 'RUNNING');
  },
);

test.serial('data of days with persistence does not come back after days without', async (t) => {
  const service = await startTestService(t);
  const instance = await createRunningInstance(service, { persistence: true });
  const container = await containerOf(instance.id);
  const set = async (key: string): Promise<Redis> => {
    const redis = connect(instance);
    await pollUntil(() => redis.set(key, 'value'), { timeoutMs: 10_000, intervalMs: 50 });
    return redis;
  };
  (await set('old')).disconnect();
  // A stop in order writes a dump.
  await container.restart();
  const redis = await set('newer');
  t.is(await redis.get('old'), 'value');
  const { operation } = await patch(service, instance, '', { persistence: false });
  t.is((await awaitOperation(service, operation.id)).status, 'SUCCEEDED');
  redis.disconnect();
  await container.restart();
  const last = await set('last');
  t.deepEqual(await last.keys('*'), ['last']);
  last.disconnect();
});

interface Planned {
  readonly resource: string;
  readonly properties: { readonly name: string }[];
}

/** The properties that a preview names, by resource. */
function describe(changes: Planned[]): Record<string, string[]> {
  return Object.fromEntries(
    changes.map(({ resource, properties }) => [
      resource,
      properties.map(({ name }) => name).sort(),
    ]),
  );
}

interface LiveChange {
  readonly maxMemory: number;
  readonly evictionPolicy: string;
  readonly persistence?: boolean;
}

/** Whether Redis itself and the kernel have the new values. */
async function isInForce(
  redis: Redis,
  container: Awaited<ReturnType<typeof containerOf>>,
  { maxMemory, evictionPolicy, persistence = false }: LiveChange,
): Promise<boolean> {
  const info = `${await redis.info('memory')}\n${await redis.info('persistence')}`;
  const limit = await readMemoryLimit(container);
  return (
    new RegExp(`^maxmemory:${maxMemory}\\r?$`, 'm').test(info) &&
    new RegExp(`^maxmemory_policy:${evictionPolicy}\\r?$`, 'm').test(info) &&
    new RegExp(`^aof_enabled:${persistence ? 1 : 0}\\r?$`, 'm').test(info) &&
    limit === containerMemoryMib(maxMemory, persistence) * mib
  );
}
