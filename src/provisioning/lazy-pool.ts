import type { WorkerPool } from './worker-pool.ts';

/** A pool that is made with its first job: where only previews run, most processes never need a worker. */
export function createLazyPool(size: number, make: () => WorkerPool): WorkerPool {
  let pool: WorkerPool | undefined;
  let isClosed = false;
  return {
    size,
    async run(...job) {
      if (isClosed) throw new Error('the workers were closed');
      pool ??= make();
      return await pool.run(...job);
    },
    async close() {
      isClosed = true;
      await pool?.close();
    },
  };
}
