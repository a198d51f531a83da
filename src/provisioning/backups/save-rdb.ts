/** An RDB of a running Redis: saved by a child of its own, so that Redis goes on answering meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';

const pollMs = 100;
const saveTimeoutMs = 20 * 60_000;

/**
 * Has Redis save dump.rdb afresh. A save or rewrite that is under way is waited for, and another is begun.
 * @throws when it fails or does not end in time, or `signal` aborts.
 */
export async function saveRdb(redis: Redis, signal: AbortSignal): Promise<void> {
  const deadlineMs = performance.now() + saveTimeoutMs;
  const look = async (): Promise<Persistence> => {
    if (performance.now() > deadlineMs) throw new Error('Redis did not save in time');
    await sleep(pollMs, undefined, { signal });
    return await readPersistence(redis);
  };
  let before = await readPersistence(redis);
  while (before.isBusy || !(await begin(redis))) before = await look();
  let after = await look();
  while (after.isSaving) after = await look();
  if (!after.isSaved || after.saves <= before.saves)
    throw new Error('Redis could not save its data');
}

/** Gives false where another child was faster. */
async function begin(redis: Redis): Promise<boolean> {
  try {
    await redis.bgsave();
    return true;
  } catch (error) {
    if (/in progress|child process/i.test((error as Error).message)) return false;
    throw error;
  }
}

interface Persistence {
  /** A child saves or rewrites, or is about to. */
  readonly isBusy: boolean;
  readonly isSaving: boolean;
  /** The last save ended well. */
  readonly isSaved: boolean;
  readonly saves: number;
}

async function readPersistence(redis: Redis): Promise<Persistence> {
  const info = await redis.info('persistence');
  const read = (name: string): string => new RegExp(`^${name}:(\\S*)`, 'm').exec(info)?.[1] ?? '';
  const isSaving = read('rdb_bgsave_in_progress') === '1';
  const isRewriting =
    read('aof_rewrite_in_progress') === '1' || read('aof_rewrite_scheduled') === '1';
  return {
    isBusy: isSaving || isRewriting,
    isSaving,
    isSaved: read('rdb_last_bgsave_status') === 'ok',
    saves: Number(read('rdb_saves')),
  };
}
