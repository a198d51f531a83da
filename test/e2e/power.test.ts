/** Power of an instance that lives: stop, start, restart, kills, its end; what survives what. */
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { pollUntil } from '../../src/lib/retry.ts';
import { containerOf, listContainersOf } from '../support/docker.ts';
import { agree, connect, patch, ping, power } from '../support/living-instance.ts';
import { runPulumi } from '../support/pulumi.ts';
import { awaitOperation, createRunningInstance, startTestService } from '../support/service.ts';
import { countWritten, startWriter } from '../support/writer.ts';

const mib = 1024 * 1024;
const _liveWithinMs = 5_000;

test.serial('stop, start and restart keep what they promise, and Pulumi agrees', async (t) => {
  const service = await startTestService(t);
  const kept = await createRunningInstance(service, { persistence: true });
  const lost = await createRunningInstance(service);
  for (const instance of [kept, lost]) {
    const redis = connect(instance);
    await redis.set('greeting', 'hello');
    redis.disconnect();
    await power(t, service, instance, 'stop', 'STOPPED');
    t.is((await listContainersOf(instance.id))[0]?.State, 'exited');
    await t.throwsAsync(ping(instance));
    await service.api.call(
      'PATCH',
      `/api/v1/instances/${instance.id}`,
      { maxMemory: 48 * mib },
      409,
    );
    await service.api.call('POST', `/api/v1/instances/${instance.id}/stop`, undefined, 409);
    await agree(t, service, instance);
    await power(t, service, instance, 'start', 'RUNNING');
    await power(t, service, instance, 'restart', 'RUNNING');
    await agree(t, service, instance);
    const again = connect(instance);
    t.is(await again.get('greeting'), instance === kept ? 'hello' : null);
    again.disconnect();
  }
  await power(t, service, lost, 'stop', 'STOPPED');
  const { operation } = await service.api.call('DELETE', `/api/v1/instances/${lost.id}`);
  t.is((await awaitOperation(service, operation.id)).status, 'SUCCEEDED');
  t.deepEqual(await listContainersOf(lost.id), []);
});

test.serial(
  'with persistence a kill loses the last second at most; without, the data',
  async (t) => {
    const service = await startTestService(t);
    const kept = await createRunningInstance(service, { persistence: true });
    const lost = await createRunningInstance(service, { evictionPolicy: 'volatile-ttl' });
    for (const instance of [kept, lost]) {
      const writer = await startWriter(instance);
      await sleep(1_500);
      const secondAgo = await writer.redis.dbsize();
      await sleep(1_100);
      const container = await containerOf(instance.id);
      await container.kill();
      const { written } = await writer.stop();
      // A kill by hand is what `unless-stopped` leaves alone.
      await container.start();
      const redis = connect(instance);
      await pollUntil(() => redis.ping(), { timeoutMs: 10_000, intervalMs: 50 });
      const found = await countWritten(redis, written);
      t.log({ written, found, secondAgo });
      if (instance === kept) t.true(found > secondAgo && found <= written + 1);
      else t.is(found, 0);
      t.is(await redis.set('new', 'value'), 'OK');
      const policy = instance === kept ? 'allkeys-lru' : 'volatile-ttl';
      t.regex(await redis.info('memory'), new RegExp(`^maxmemory_policy:${policy}\\r?$`, 'm'));
      redis.disconnect();
    }
  },
);

test.serial(
  'an instance that expires is deleted, a protected one is not deleted by hand',
  async (t) => {
    const service = await startTestService(t);
    const brief = await createRunningInstance(service);
    const expiresAt = new Date(Date.now() + 1_000).toISOString();
    await patch(service, brief, '', { expiresAt });
    await pollUntil(async () => (await listContainersOf(brief.id)).length === 0 || undefined, {
      timeoutMs: 20_000,
      intervalMs: 200,
    });
    const kept = await createRunningInstance(service, { deletionProtection: true });
    const path = `/api/v1/instances/${kept.id}`;
    t.is((await service.api.call('DELETE', path, undefined, 409)).code, 'deletion_protected');
    await service.api.call('PATCH', path, { deletionProtection: false }, 200);
    await service.api.call('DELETE', path, undefined, 202);
  },
);

test.serial(
  "keys, settings and data hold when an operator's run replaces the container",
  async (t) => {
    const service = await startTestService(t);
    const instance = await createRunningInstance(service, {
      persistence: true,
      evictionPolicy: 'volatile-lfu',
    });
    const before = connect(instance);
    await before.set('greeting', 'hello');
    before.disconnect();
    const { Id } = await (await containerOf(instance.id)).inspect();
    const flags = '--yes --skip-preview --replace **docker:index/container:Container::redis';
    await runPulumi(service, `up -s ${instance.id} ${flags}`);
    t.not((await (await containerOf(instance.id)).inspect()).Id, Id);
    const redis = connect(instance);
    t.is(await redis.get('greeting'), 'hello');
    t.regex(await redis.info('memory'), /^maxmemory_policy:volatile-lfu\r?$/m);
    redis.disconnect();
    await agree(t, service, instance);
  },
);

test.serial('a restart brings back a container that was removed, over its data', async (t) => {
  const service = await startTestService(t);
  const instance = await createRunningInstance(service, { persistence: true });
  const redis = connect(instance);
  await redis.set('greeting', 'hello');
  redis.disconnect();
  const container = await containerOf(instance.id);
  await container.stop();
  await container.remove();
  await power(t, service, instance, 'restart', 'RUNNING');
  const again = connect(instance);
  t.is(await again.get('greeting'), 'hello');
  again.disconnect();
  await agree(t, service, instance);
});
