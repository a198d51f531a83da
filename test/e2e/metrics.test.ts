import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { Redis } from 'ioredis';
import { pollUntil } from '../../src/lib/retry.ts';
import { containerOf } from '../support/docker.ts';
import {
  createRunningInstance,
  startTestService,
  type TestInstance,
  type TestService,
} from '../support/service.ts';

const summed = ['commands', 'hits', 'misses', 'bytesIn', 'bytesOut'] as const;
type Sums = Record<(typeof summed)[number], number>;

interface Target {
  readonly host: string;
  readonly port: number;
  readonly username?: string;
  readonly password: string;
}

test.serial(
  'metrics tell exactly what clients did, over a restart of Redis and of the service',
  async (t) => {
    const service = await startTestService(t);
    const instance = await createRunningInstance(service);
    const door = { host: instance.host, port: instance.port, password: instance.key };
    const direct = await findDirect(service, instance);
    t.like(await readSums(service, instance), { commands: 0, hits: 0, misses: 0 });

    await work(door);
    const before = await readSums(service, instance);
    t.like(before, { commands: 1_500, hits: 1_200, misses: 200 });
    // Every hit's answer is `$100`, the value of 100 bytes and two line ends.
    t.true(before.bytesOut > 1_200 * 108, String(before.bytesOut));
    t.true(before.bytesOut < 1_200 * 108 + 10_000, String(before.bytesOut));

    await (await containerOf(instance.id)).restart();
    await work(door);
    const after = await readSums(service, instance);
    t.like(after, { commands: 3_000, hits: 2_400, misses: 400 });
    t.true(after.bytesOut > before.bytesOut + 1_200 * 108, String(after.bytesOut));

    await service.end('SIGKILL');
    await work(direct);
    await service.start();
    await work(direct);
    t.like(await readSums(service, instance), { commands: 6_000, hits: 4_800, misses: 800 });
  },
);

/** 1,500 commands: 100 writes, 1,200 hits, 200 misses; and some that are not counted. */
async function work(target: Target): Promise<void> {
  const redis = new Redis({ ...target, retryStrategy: () => 50 });
  redis.on('error', () => {});
  await pollUntil(() => redis.ping(), { timeoutMs: 10_000, intervalMs: 50 });
  const pipeline = redis.pipeline();
  for (let index = 0; index < 100; index += 1) pipeline.set(`key:${index}`, 'v'.repeat(100));
  for (let index = 0; index < 1_200; index += 1) pipeline.get(`key:${index % 100}`);
  for (let index = 0; index < 200; index += 1) pipeline.get(`nothing:${index}`);
  const replies = (await pipeline.exec()) ?? [];
  redis.disconnect();
  for (const [error] of replies) {
    if (error) throw error;
  }
}

/** The instance's own port, which also opens while the service is away. */
async function findDirect(service: TestService, { id, key }: TestInstance): Promise<Target> {
  const { instance } = await service.api.call('GET', `/api/v1/instances/${id}`);
  const { NetworkSettings } = await (await containerOf(id)).inspect();
  const port = Number(NetworkSettings.Ports['6379/tcp']?.[0]?.HostPort);
  return { host: '127.0.0.1', port, username: instance.apiKeys[0].id, password: key };
}

/** All points added up, after a fresh look at the instance. */
async function readSums(service: TestService, { id }: TestInstance): Promise<Sums> {
  // A second has one look at most.
  await sleep(1_050);
  const { metrics } = await service.api.call('GET', `/api/v1/instances/${id}/metrics`);
  const sums = summed.map((name) => {
    const values: number[] = metrics.map((point: Sums) => point[name]);
    return [name, values.reduce((sum, value) => sum + value, 0)];
  });
  return Object.fromEntries(sums);
}
