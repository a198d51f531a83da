/**
 * Where backups lie: a folder, or a bucket of an S3-compatible store. It sees sealed files only.
 *
 * Guarantees: an object is there whole or not at all, also where its writer dies; what is removed twice is
 * no problem.
 */
import type { Readable } from 'node:stream';

/** The store has no object of that name. */
export class ObjectMissing extends Error {}

export interface ObjectStore {
  write(name: string, content: Readable): Promise<void>;
  /** @throws {ObjectMissing} */
  read(name: string): Promise<Readable>;
  remove(name: string): Promise<void>;
}
