/** What the demo does over redis://, with ioredis. */
import { Redis } from 'ioredis';

export interface Address {
  readonly key: string;
  readonly host: string;
  readonly port: number;
}

/** Connects, works and leaves; a command that fails is not sent again. */
export async function withRedis(
  { key, host, port }: Address,
  work: (redis: Redis) => Promise<void>,
): Promise<void> {
  const redis = new Redis({ host, port, password: key, maxRetriesPerRequest: 1 });
  try {
    await work(redis);
  } finally {
    redis.disconnect();
  }
}

/** Redis's own word on its limit, in bytes. */
export async function readMaxmemory(redis: Redis): Promise<number> {
  const info = String(await redis.info('memory'));
  return Number(/^maxmemory:(\d+)/m.exec(info)?.[1]);
}

/** Writes one key after another while something else goes on; gives how many. Rejects where one fails. */
export async function writeWhile(redis: Redis, work: () => Promise<void>): Promise<number> {
  let written = 0;
  let isDone = false;
  const writing = (async () => {
    while (!isDone) {
      await redis.set(`key:${written}`, 'value');
      written += 1;
    }
  })();
  try {
    await work();
  } finally {
    isDone = true;
    await writing;
  }
  return written;
}
