/**
 * What Redis is told live: the parameters of CONFIG SET that an instance's settings come down to.
 *
 * Guarantee: they are kept for Redis's next start only once a start would find the data with them. Where
 * persistence is switched on, that is when the first append-only file is whole: before, a start would load
 * none, or one of former days.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';

export interface LiveSettings {
  readonly maxMemoryBytes: number;
  readonly evictionPolicy: string;
  readonly persistence: boolean;
}

interface Patience {
  /** How long the append-only file may take. */
  readonly timeoutMs: number;
  /** Told again and again that it is being written. */
  readonly onWriting?: () => void;
}

const pollMs = 100;

/** The parameters with their values, as CONFIG GET gives them back. */
export function liveParameters(settings: LiveSettings): Readonly<Record<string, string>> {
  return {
    maxmemory: String(settings.maxMemoryBytes),
    'maxmemory-policy': settings.evictionPolicy,
    appendonly: settings.persistence ? 'yes' : 'no',
    appendfsync: 'everysec',
    save: settings.persistence ? '3600 1 300 100 60 10000' : '',
  };
}

/**
 * Sets the parameters on a running Redis and keeps them for its next start. Where it breaks off, it can be
 * done again, and waits for what is being written still.
 * @throws an Error when the append-only file takes longer, or cannot be written.
 */
export async function writeLiveSettings(
  redis: Pick<Redis, 'config' | 'info'>,
  settings: LiveSettings,
  patience: Patience,
): Promise<void> {
  const before = await readAppending(redis);
  // One CONFIG SET: Redis takes all of it or none.
  await redis.config('SET', ...Object.entries(liveParameters(settings)).flat());
  if (settings.persistence && !(before.isOn && before.isIdle)) {
    await awaitFile(redis, patience, before.isOn);
  }
  await redis.config('REWRITE');
}

/** Where persistence `wasOn`, the file may be a first one of a try before, or one that Redis renews of itself. */
async function awaitFile(
  redis: Pick<Redis, 'config' | 'info'>,
  { timeoutMs, onWriting }: Patience,
  wasOn: boolean,
): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const { isOn, isIdle, isGood } = await readAppending(redis);
    if (isOn && isIdle && isGood) return;
    const isOver = performance.now() > deadlineMs;
    // A first one that fails is begun again by Redis.
    if (!isGood && (wasOn ? isIdle : isOver)) {
      // Else the next try would find it on, and take it for done.
      if (!wasOn) await redis.config('SET', 'appendonly', 'no');
      throw new Error('Redis could not write its append-only file');
    }
    if (isOver) throw new Error('Redis is still writing its append-only file');
    onWriting?.();
    await sleep(pollMs);
  }
}

async function readAppending(
  redis: Pick<Redis, 'info'>,
): Promise<{ isOn: boolean; isIdle: boolean; isGood: boolean }> {
  const info = await redis.info('persistence');
  const has = (line: string): boolean => new RegExp(`^${line}\\r?$`, 'm').test(info);
  return {
    isOn: has('aof_enabled:1'),
    isIdle: has('aof_rewrite_in_progress:0') && has('aof_rewrite_scheduled:0'),
    isGood: has('aof_last_bgrewrite_status:ok'),
  };
}
