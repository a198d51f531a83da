/** A client that writes all the while, on one connection that it never opens again. */
import { Redis } from 'ioredis';
import type { TestInstance } from './service.ts';

export interface Writer {
  /** Ends the writing; gives what was written, which errors came and whether the connection held. */
  stop(): Promise<{ written: number; errors: string[]; held: boolean }>;
  readonly redis: Redis;
}

/** Begins to write `w:0`, `w:1`, … one after another, each with its number. */
export async function startWriter({ host, port, key }: TestInstance): Promise<Writer> {
  const redis = new Redis({
    host,
    port,
    password: key,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  });
  const errors: string[] = [];
  let held = true;
  redis.on('error', (error) => errors.push(error.message));
  redis.on('close', () => {
    held = false;
  });
  let stopping = false;
  let written = 0;
  const writing = (async () => {
    while (!stopping && held) {
      try {
        await redis.set(`w:${written}`, String(written));
        written += 1;
      } catch (error) {
        errors.push((error as Error).message);
      }
    }
  })();
  return {
    redis,
    async stop() {
      stopping = true;
      await writing;
      const outcome = { written, errors, held };
      redis.disconnect();
      return outcome;
    },
  };
}

/** How many of `w:0` … are there with their own value. */
export async function countWritten(redis: Redis, written: number): Promise<number> {
  let found = 0;
  for (let first = 0; first < written; first += 1_000) {
    const numbers = Array.from({ length: Math.min(1_000, written - first) }, (_, i) => first + i);
    const values = await redis.mget(numbers.map((number) => `w:${number}`));
    found += values.filter((value, i) => value === String(numbers[i])).length;
  }
  return found;
}
