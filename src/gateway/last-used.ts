/** When a key was last used: written at most once a minute a key, never on an answer's path. */
import type { Logger } from '../lib/logger.ts';
import type { Orm } from '../store/database.ts';
import { type DataKey, DataKeyEntity } from '../store/entities/data-key.ts';

const resolutionMs = 60_000;
const rememberedMax = 10_000;

export interface LastUsedRecorder {
  /** Notes that a key was used now; returns at once and never throws. */
  record(key: DataKey): void;
  /** Waits for the writes that have begun. */
  settle(): Promise<void>;
}

export function createLastUsedRecorder(orm: Orm, logger: Logger): LastUsedRecorder {
  const writtenAtMs = new Map<string, number>();
  const writes = new Set<Promise<void>>();

  async function write(keyId: string, at: Date): Promise<void> {
    try {
      await orm.em.fork().nativeUpdate(DataKeyEntity, { id: keyId }, { lastUsedAt: at });
    } catch (error) {
      // Only its kind: a database's message may quote the query.
      const kind = error instanceof Error ? error.name : typeof error;
      logger.warn({ keyId, kind }, 'the last use of a key was not recorded');
    }
  }

  return {
    record({ id, lastUsedAt }) {
      const now = new Date();
      const lastMs = writtenAtMs.get(id) ?? lastUsedAt?.getTime() ?? 0;
      if (now.getTime() - lastMs < resolutionMs) return;
      const [oldest] = writtenAtMs.keys();
      if (writtenAtMs.size >= rememberedMax && oldest) writtenAtMs.delete(oldest);
      // Deleted first, so that the map stays in the order of writing.
      writtenAtMs.delete(id);
      writtenAtMs.set(id, now.getTime());
      const writing = write(id, now).finally(() => writes.delete(writing));
      writes.add(writing);
    },
    async settle() {
      await Promise.all(writes);
    },
  };
}
