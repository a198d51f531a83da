/** The backup store of tests in one process: the real vault over memory. */
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { BackupVault } from '../../src/backups/services.ts';
import { createFileSealer } from '../../src/lib/sealed-file.ts';
import { ObjectMissing, type ObjectStore } from '../../src/provisioning/backups/object-store.ts';
import { createVault } from '../../src/provisioning/backups/vault.ts';

export interface MemoryStore extends ObjectStore {
  /** What lies in it, by name; a test may change it. */
  readonly objects: Map<string, Buffer>;
}

export function createMemoryStore(): MemoryStore {
  const objects = new Map<string, Buffer>();
  return {
    objects,
    async write(name, content) {
      objects.set(name, await buffer(content));
    },
    async read(name) {
      const found = objects.get(name);
      if (!found) throw new ObjectMissing(name);
      return Readable.from([found]);
    },
    async remove(name) {
      objects.delete(name);
    },
  };
}

/** A vault over the given store, or one of its own. */
export function createTestVault(store: ObjectStore = createMemoryStore()): BackupVault {
  return createVault(store, createFileSealer(Buffer.alloc(32, 7)));
}

/** What passes for an RDB file of some keys where no Redis looks at it. */
export function fakeRdb(text = 'data'): Buffer {
  return Buffer.from(`REDIS0010\xfa\x09redis-ver\x067.0.15${text}`, 'latin1');
}
