/** When each key was last used, written to the database at most once a minute a key. */
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Orm } from '../store/database.ts';
import { DataKeyEntity } from '../store/entities/data-key.ts';

const writeIntervalMs = 60_000;
/** How many keys are remembered; beyond it all are forgotten, which only costs some writes. */
const rememberedMax = 10_000;

export interface KeyUsage {
  /** Notes a use. Never throws and is not waited for: a failed write must not refuse a client. */
  touchKey(keyId: string): void;
  /** Waits for the writes under way. */
  settle(): Promise<void>;
}

export function createKeyUsage(deps: { orm: Orm; logger: Logger; clock: Clock }): KeyUsage {
  const { orm, logger, clock } = deps;
  const writtenAtMs = new Map<string, number>();
  const writes = new Set<Promise<void>>();

  async function write(keyId: string, now: Date): Promise<void> {
    try {
      await orm.em.fork().nativeUpdate(DataKeyEntity, { id: keyId }, { lastUsedAt: now });
    } catch (error) {
      writtenAtMs.delete(keyId);
      // Only its kind: a database's message may quote the query.
      const kind = error instanceof Error ? error.name : typeof error;
      logger.warn({ keyId, kind }, 'the last use of a key could not be written');
    }
  }

  return {
    touchKey(keyId) {
      const now = clock.now();
      const lastMs = writtenAtMs.get(keyId) ?? Number.NEGATIVE_INFINITY;
      if (now.getTime() - lastMs < writeIntervalMs) return;
      if (writtenAtMs.size >= rememberedMax) writtenAtMs.clear();
      writtenAtMs.set(keyId, now.getTime());
      const writing = write(keyId, now).finally(() => writes.delete(writing));
      writes.add(writing);
    },
    async settle() {
      await Promise.all(writes);
    },
  };
}
