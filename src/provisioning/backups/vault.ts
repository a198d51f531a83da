/**
 * The vault: RDB files in the backup store, measured and sealed on their way in, opened and checked on
 * their way out. Nothing of them is written in clear, and none has to fit into memory.
 */
import { createHash } from 'node:crypto';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import type { BackupVault, StoredFile } from '../../backups/services.ts';
import { AppError } from '../../lib/errors.ts';
import { type FileSealer, SealedFileError } from '../../lib/sealed-file.ts';
import type { Backup } from '../../store/entities/backup.ts';
import { openFolderStore } from './folder-store.ts';
import { ObjectMissing, type ObjectStore } from './object-store.ts';
import { openS3Store } from './s3-store.ts';

/** Opens the store of a `file:///folder` or `s3://bucket/prefix?…` address; connects to nothing yet. */
export function openObjectStore(url: string): ObjectStore {
  return url.startsWith('s3:') ? openS3Store(url) : openFolderStore(fileURLToPath(url));
}

/** Makes the vault over a store. */
export function createVault(store: ObjectStore, sealer: FileSealer): BackupVault {
  return {
    async put({ id, location }, rdb, { bytesMax, signal }) {
      const measure = createMeasure(bytesMax);
      const sealing = sealer.seal(placeOf(id));
      let sourceProblem: unknown;
      const source = async function* () {
        try {
          yield* rdb;
        } catch (error) {
          sourceProblem = error;
          throw error;
        }
      };
      const flowing = pipeline(source, measure.stream, sealing, { signal });
      const writing = store.write(location, sealing).catch((error) => {
        // What is not taken must not be waited for.
        sealing.destroy(error);
        throw error;
      });
      const [flow, write] = await Promise.allSettled([flowing, writing]);
      if (measure.problem) throw measure.problem;
      if (signal?.aborted) throw signal.reason;
      if (sourceProblem) throw sourceProblem;
      if (write.status === 'rejected') throw storeError(write.reason);
      if (flow.status === 'rejected') throw flow.reason;
      return measure.result();
    },
    async open(backup) {
      const { id, location } = backup;
      if (!location) throw unreadable('it was never stored');
      try {
        const sealed = await store.read(location);
        const clear = createCheck(backup);
        pipeline(sealed, sealer.open(placeOf(id)), clear).catch(() => {});
        return await begun(clear);
      } catch (error) {
        throw error instanceof ObjectMissing
          ? unreadable('its file is missing')
          : storeError(error);
      }
    },
    async remove(location) {
      try {
        await store.remove(location);
      } catch (error) {
        throw storeError(error);
      }
    },
  };
}

/** What a file is sealed for: in another's place it does not open. */
function placeOf(backupId: string): string {
  return `backups/${backupId}`;
}

function storeError(error: unknown): Error {
  if (error instanceof AppError) return error;
  if (error instanceof SealedFileError) return unreadable(error.message, error);
  return new AppError('backup_store_unreachable', undefined, { cause: error });
}

function unreadable(why: string, cause?: unknown): AppError {
  return new AppError('backup_invalid', `The stored backup cannot be read: ${why}.`, { cause });
}

const headerBytes = 512;

/** Counts and hashes what passes, and refuses what is no RDB file or too large. */
function createMeasure(bytesMax: number) {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  let head = Buffer.alloc(0);
  const measure = {
    problem: undefined as AppError | undefined,
    stream: new Transform({
      transform(chunk: Buffer, _encoding, done) {
        if (head.length < headerBytes) head = Buffer.concat([head, chunk.subarray(0, headerBytes)]);
        sizeBytes += chunk.length;
        hash.update(chunk);
        if (sizeBytes > bytesMax) fail('body_too_large', `The limit is ${bytesMax} bytes.`);
        else if (head.length >= magicBytes && !isRdb(head)) fail('backup_invalid', noRdb);
        done(measure.problem ?? null, chunk);
      },
      flush(done) {
        if (!isRdb(head)) fail('backup_invalid', noRdb);
        done(measure.problem ?? null);
      },
    }),
    result(): StoredFile {
      return { sizeBytes, sha256: hash.digest('hex'), redisVersion: versionIn(head) };
    },
  };
  const fail = (code: 'body_too_large' | 'backup_invalid', message: string): void => {
    measure.problem ??= new AppError(code, message);
  };
  return measure;
}

const magicBytes = 9;
const noRdb = 'It does not begin as an RDB file does.';

function isRdb(head: Buffer): boolean {
  return /^REDIS\d{4}/.test(head.toString('latin1', 0, magicBytes));
}

/** The Redis that wrote a file: `redis-ver` among the auxiliary fields at its beginning. */
function versionIn(head: Buffer): string | null {
  const name = 'redis-ver';
  const text = head.toString('latin1');
  const at = text.indexOf(name) + name.length;
  if (at < name.length) return null;
  const version = text.slice(at + 1, at + 1 + Math.min(text.charCodeAt(at), 32));
  return /^[\d.]+$/.test(version) ? version : null;
}

/** Passes on what a backup's row says, byte for byte; the last bytes only once all is known to be right. */
function createCheck({ sizeBytes, sha256 }: Backup): Transform {
  const hash = createHash('sha256');
  let seen = 0;
  let held: Buffer | undefined;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const before = held;
      held = chunk;
      seen += chunk.length;
      hash.update(chunk);
      done(null, before);
    },
    flush(done) {
      const isSame = seen === sizeBytes && hash.digest('hex') === sha256;
      if (isSame) done(null, held);
      else done(unreadable('it is not the file that was stored'));
    },
  });
}

/** Waits until a stream has given something, so that what is wrong from the start is told as an answer. */
async function begun(stream: Readable): Promise<Readable> {
  await new Promise<void>((resolve, reject) => {
    stream.once('readable', resolve);
    // Stays: what fails between here and its reader must not end the process.
    stream.on('error', reject);
  });
  return stream;
}
