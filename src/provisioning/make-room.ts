/**
 * Making room before an instance gets less memory.
 *
 * The stack changes the container's limit first and Redis's maxmemory after it, which is right for growth.
 * For shrinking it would be the end of Redis: the kernel refuses or kills what does not fit. So Redis is
 * told its smaller maxmemory before the stack runs, and the run waits until its pages have followed. Since
 * Redis was told past the stack, its settings are written once more in the end (opening.ts).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { containerMemoryMib } from '../../infra/sizing.ts';
import { appliedSettings } from '../instances/settings.ts';
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
 * Whether an instance's container is about to get a smaller limit. Asks the container, not Redis: a try
 * before this one may have told Redis and not come to its end.
 * @param limitBytes the container's present limit.
 */
export function needsRoom(instance: Instance, limitBytes: number): boolean {
  return limitMib(instance) * bytesPerMib < limitBytes;
}

/**
 * Lowers a running Redis's maxmemory and waits until what it holds fits into the smaller container.
 * @throws {AppError} `memory_in_use` when what is in use does not come to fit; then, as with any other
 * error, maxmemory is back at what was last applied.
 */
export async function makeRoom(sealer: Sealer, instance: Instance): Promise<void> {
  const wantedMib = limitMib(instance);
  await withInstanceRedis(sealer, instance, async (redis) => {
    const live = await readSettings(redis);
    const before = appliedSettings(instance) ?? live;
    try {
      if (instance.maxMemoryBytes < live.maxMemoryBytes) await writeSettings(redis, instance);
      if (await comesToFit(redis, (wantedMib - marginMib) * bytesPerMib)) return;
    } catch (error) {
      await writeSettings(redis, before).catch(() => {});
      throw error;
    }
    await writeSettings(redis, before);
    const message =
      'Redis could not free enough memory for the smaller size; its settings are as they were.';
    throw new AppError('memory_in_use', message);
  });
}

function limitMib({ maxMemoryBytes, persistence }: Instance): number {
  return containerMemoryMib(maxMemoryBytes, persistence);
}

/** The values of Redis's parameters, by name. */
export async function readLive(
  redis: Pick<Redis, 'config'>,
  names: readonly string[],
): Promise<Record<string, string | undefined>> {
  return toRecord((await redis.config('GET', ...names)) as string[]);
}

/** From the flat list of names and values that CONFIG GET answers with. */
export function toRecord(pairs: readonly string[]): Record<string, string | undefined> {
  const names = pairs.filter((_, index) => index % 2 === 0);
  return Object.fromEntries(names.map((name, index) => [name, pairs[2 * index + 1]]));
}

type MemorySettings = Pick<Instance, 'maxMemoryBytes' | 'evictionPolicy'>;

async function readSettings(redis: Redis): Promise<MemorySettings> {
  const live = await readLive(redis, ['maxmemory', 'maxmemory-policy']);
  return {
    maxMemoryBytes: Number(live.maxmemory),
    evictionPolicy: live['maxmemory-policy'] ?? 'noeviction',
  };
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
