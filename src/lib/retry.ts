/** Waiting between tries: exponential back-off with full jitter, bounded. */
import { setTimeout as sleep } from 'node:timers/promises';

interface BackoffOptions {
  readonly baseMs: number;
  readonly maxMs: number;
}

/** The wait before try `attempt` (1 is the first retry): a random time up to min(max, base · 2^(attempt-1)). */
export function backoffMs(attempt: number, { baseMs, maxMs }: BackoffOptions): number {
  return Math.random() * Math.min(maxMs, baseMs * 2 ** (attempt - 1));
}

interface PollOptions {
  readonly timeoutMs: number;
  readonly intervalMs: number;
  readonly signal?: AbortSignal;
}

/**
 * Calls `probe` until it gives something other than undefined, and gives that.
 * @throws what the last probe threw, or an Error, once `timeoutMs` has passed.
 */
export async function pollUntil<T>(
  probe: () => Promise<T | undefined>,
  { timeoutMs, intervalMs, signal }: PollOptions,
): Promise<T> {
  const deadlineMs = performance.now() + timeoutMs;
  let lastError: unknown;
  do {
    try {
      const found = await probe();
      if (found !== undefined) return found;
    } catch (error) {
      lastError = error;
    }
    await sleep(intervalMs, undefined, { signal });
  } while (performance.now() < deadlineMs);
  throw lastError ?? new Error(`nothing within ${timeoutMs} ms`);
}
