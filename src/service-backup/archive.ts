/**
 * The archive of a service: an age file (passphrase), in it gzip, in it tar. `age -d FILE | tar -tz` reads
 * it where nothing of SwiftCache is at hand.
 *
 * Guarantees: it is written beside its place and takes it only when it is whole, readable by its owner
 * only; it is read in order with one member in memory at a time; one that was changed, cut short or is
 * opened with another passphrase is refused, before any member that was not checked is handed out.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream as WebStream } from 'node:stream/web';
import { createGunzip, createGzip } from 'node:zlib';
import { Decrypter, Encrypter } from 'age-encryption';
import { extract, pack } from 'tar-stream';
import { type Manifest, manifestName, manifestSchema } from './manifest.ts';

/** A problem of an archive, in words for the operator. */
export class ArchiveError extends Error {}

export interface Member {
  readonly name: string;
  readonly body: Buffer;
}

export interface ArchiveWriter {
  add(name: string, body: Buffer | string): Promise<void>;
  /** Adds the manifest and puts the archive in its place; gives its size in bytes. */
  finish(facts: Omit<Manifest, 'members'>): Promise<number>;
  /** Removes what was written so far. */
  abandon(): Promise<void>;
}

/** Begins an archive. @throws {ArchiveError} where the file is there already. */
export async function createArchive(file: string, passphrase: string): Promise<ArchiveWriter> {
  if (await isThere(file)) throw new ArchiveError(`${file} is there already: name another file.`);
  const partial = `${file}.${process.pid}.partial`;
  const members: Manifest['members'] = [];
  const tar = pack();
  const packed = createGzip();
  const packing = pipeline(tar, packed);
  const encrypter = new Encrypter();
  encrypter.setPassphrase(passphrase);
  const sealed = await encrypter.encrypt(Readable.toWeb(packed) as ReadableStream<Uint8Array>);
  const target = createWriteStream(partial, { flags: 'wx', mode: 0o600 });
  const writing = pipeline(Readable.fromWeb(sealed as WebStream), target);
  const written = Promise.all([packing, writing]);
  // Awaited in `finish`; until then a failure shows in `write`, which waits for it too.
  written.catch(() => {});

  const write = async (name: string, body: Buffer): Promise<void> => {
    const added = new Promise<void>((resolve, reject) => {
      const header = { name, size: body.length, mode: 0o600, mtime: new Date() };
      tar.entry(header, body, (error) => (error ? reject(error) : resolve()));
    });
    await Promise.race([added, written.then(() => added)]);
  };

  return {
    async add(name, body) {
      const bytes = Buffer.from(body);
      members.push({ name, bytes: bytes.length, sha256: sha256(bytes) });
      await write(name, bytes);
    },
    async finish(facts) {
      const manifest: Manifest = { ...facts, members };
      await write(manifestName, Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`));
      tar.finalize();
      await written;
      await rename(partial, file);
      return (await stat(file)).size;
    },
    async abandon() {
      tar.destroy();
      await written.catch(() => {});
      await rm(partial, { force: true });
    },
  };
}

/**
 * Reads the whole archive and checks every member. Gives the manifest and, in clear, the members asked for.
 * @throws {ArchiveError} where anything is amiss.
 */
export async function verifyArchive(
  file: string,
  passphrase: string,
  isKept: (name: string) => boolean,
): Promise<{ manifest: Manifest; kept: Map<string, Buffer> }> {
  const found: Manifest['members'] = [];
  const kept = new Map<string, Buffer>();
  let manifest: Manifest | undefined;
  for await (const { name, body } of readArchive(file, passphrase)) {
    if (name === manifestName) manifest = readManifest(body);
    else found.push({ name, bytes: body.length, sha256: sha256(body) });
    if (isKept(name)) kept.set(name, body);
  }
  if (!manifest) throw new ArchiveError('The archive has no manifest: it is no service archive.');
  if (JSON.stringify(found) !== JSON.stringify(manifest.members)) {
    throw new ArchiveError('The archive is damaged: its members are not those of its manifest.');
  }
  return { manifest, kept };
}

/** The members in their order. @throws {ArchiveError} where it cannot be opened or was cut or changed. */
export async function* readArchive(file: string, passphrase: string): AsyncGenerator<Member> {
  const plain = await openSealed(file, passphrase);
  const members = extract();
  const reading = pipeline(plain, createGunzip(), members);
  reading.catch(() => {});
  try {
    for await (const entry of members) {
      const chunks: Buffer[] = [];
      for await (const chunk of entry) chunks.push(chunk as Buffer);
      yield { name: entry.header.name, body: Buffer.concat(chunks) };
    }
    await reading;
  } catch (error) {
    const message = 'The archive is damaged: it was changed or cut short.';
    throw new ArchiveError(message, { cause: error });
  }
}

async function openSealed(file: string, passphrase: string): Promise<Readable> {
  if (!(await isThere(file))) throw new ArchiveError(`There is no file ${file}.`);
  const decrypter = new Decrypter();
  decrypter.addPassphrase(passphrase);
  const sealed = Readable.toWeb(createReadStream(file)) as ReadableStream<Uint8Array>;
  try {
    return Readable.fromWeb((await decrypter.decrypt(sealed)) as WebStream);
  } catch (error) {
    const isKey = error instanceof Error && error.message.startsWith('no identity matched');
    throw new ArchiveError(
      isKey ? 'The passphrase is not the one of this archive.' : 'This is no archive of a service.',
      { cause: error },
    );
  }
}

function readManifest(body: Buffer): Manifest {
  try {
    return manifestSchema.parse(JSON.parse(body.toString('utf8')));
  } catch (error) {
    const message = 'The manifest is not of a kind that this version reads.';
    throw new ArchiveError(message, { cause: error });
  }
}

function sha256(body: Buffer): string {
  return createHash('sha256').update(body).digest('hex');
}

async function isThere(file: string): Promise<boolean> {
  return await stat(file).then(
    () => true,
    () => false,
  );
}
