/**
 * Making room before an instance gets less memory.
 *
 * The stack changes the container's limit first and Redis's maxmemory after it, which is right for growth.
 * For shrinking it would be the end of Redis: the kernel refuses or kills what does not fit. So Redis is
 * told its smaller maxmemory before the stack runs, and the run waits until its pages have followed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { containerMemoryMib } from '../../infra/sizing.ts';
import type { Sealer } from '../lib/crypto.ts';
import { AppError } from '../lib/errors.ts';
import type { Instance } from '../store/entities/instance.ts';
import { withInstanceRedis } from './instance-redis.ts';

const bytesPerMib = 1024 * 1024;
const evictionTimeoutMs = 8_000;
const pollMs = 50;
/** What the process may have beside its data when its container shrinks around it. */
const marginMib = 8;

/**
 * Lowers a running Redis's maxmemory to what is wanted, where that is less than it has.
 * @param onShrink told before anything is changed.
 * @throws {AppError} `memory_in_use` when what is in use does not come to fit; then maxmemory is back at
 * what it was.
 */
export async function makeRoom(
  sealer: Sealer,
  instance: Instance,
  onShrink: () => void,
): Promise<void> {
  await withInstanceRedis(sealer, instance, async (redis) => {
    const before = await readSettings(redis);
    if (instance.maxMemoryBytes >= before.maxMemoryBytes) return;
    onShrink();
    await writeSettings(redis, instance);
    const limitMib = containerMemoryMib(instance.maxMemoryBytes, instance.persistence) - marginMib;
    if (await comesToFit(redis, limitMib * bytesPerMib)) return;
    await writeSettings(redis, before);
    const message =
      'Redis could not free enough memory for the smaller size; its settings are as they were.';
    throw new AppError('memory_in_use', message);
  });
}

type MemorySettings = Pick<Instance, 'maxMemoryBytes' | 'evictionPolicy'>;

async function readSettings(redis: Redis): Promise<MemorySettings> {
  const [, bytes, , policy] = (await redis.config('GET', 'maxmemory')).concat(
    await redis.config('GET', 'maxmemory-policy'),
  ) as string[];
  return { maxMemoryBytes: Number(bytes), evictionPolicy: policy ?? 'noeviction' };
}

async function writeSettings(
  redis: Redis,
  { maxMemoryBytes, evictionPolicy }: MemorySettings,
): Promise<void> {
  await redis.config(
    'SET',
    ...['maxmemory', String(maxMemoryBytes), 'maxmemory-policy', evictionPolicy],
  );
}

/** Waits until what the process holds fits, freed pages given back. */
async function comesToFit(redis: Redis, limitBytes: number): Promise<boolean> {
  const deadlineMs = performance.now() + evictionTimeoutMs;
  do {
    // Any command makes Redis go on evicting; PURGE gives back what eviction freed.
    await redis.call('MEMORY', 'PURGE');
    const held = Number(/^used_memory_rss:(\d+)/m.exec(await redis.info('memory'))?.[1]);
    if (held <= limitBytes) return true;
    await sleep(pollMs);
  } while (performance.now() < deadlineMs);
  return false;
}
