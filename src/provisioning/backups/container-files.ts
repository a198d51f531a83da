/** Files in and out of containers, as streams, by Docker's archive API: running or stopped. */
import { addAbortSignal, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type Docker from 'dockerode';
import { extract, pack } from 'tar-stream';

/** The user that Redis runs as in its image. */
const redisId = 999;
const dataDir = '/data';

/** Reads a file of a container's /data. The stream fails where the file is not whole, or `signal` aborts. */
export async function readDataFile(
  container: Docker.Container,
  name: string,
  signal: AbortSignal,
): Promise<Readable> {
  const archive = (await container.getArchive({ path: `${dataDir}/${name}` })) as Readable;
  addAbortSignal(signal, archive);
  return Readable.from(onlyFile(archive), { objectMode: false });
}

async function* onlyFile(archive: Readable): AsyncGenerator<Buffer> {
  const entries = extract();
  const flowing = pipeline(archive, entries);
  // Its failure arrives by the entries, too; and at the end, where it is waited for.
  flowing.catch(() => {});
  for await (const entry of entries) {
    let seen = 0;
    for await (const chunk of entry as AsyncIterable<Buffer>) {
      seen += chunk.length;
      yield chunk;
    }
    if (seen !== entry.header.size) throw new Error(`${entry.header.name} was not read whole`);
  }
  await flowing;
}

/**
 * Writes a file into a container's /data, as Redis's own and readable by nobody else.
 * @throws what reading the content throws; then the file may be there in part.
 */
export async function writeDataFile(
  container: Docker.Container,
  { name, sizeBytes }: { readonly name: string; readonly sizeBytes: number },
  content: Readable,
  signal?: AbortSignal,
): Promise<void> {
  const archive = pack();
  const giveUp = new AbortController();
  const stop = signal ? AbortSignal.any([giveUp.signal, signal]) : giveUp.signal;
  const header = { name, size: sizeBytes, mode: 0o600, uid: redisId, gid: redisId };
  const filling = pipeline(content, archive.entry(header), { signal: stop }).then(() =>
    archive.finalize(),
  );
  // Docker would wait for the rest.
  filling.catch((error) => {
    archive.destroy(error);
    giveUp.abort(error);
  });
  const options = { path: dataDir, abortSignal: stop };
  const put = container.putArchive(archive as unknown as NodeJS.ReadableStream, options);
  const [filled, sent] = await Promise.allSettled([filling, put]);
  if (sent.status === 'rejected' && !giveUp.signal.aborted) throw sent.reason;
  if (filled.status === 'rejected') throw filled.reason;
  const stored = await sizeOf(container, name);
  if (stored !== sizeBytes) throw new Error(`${name} arrived with ${stored} bytes`);
}

/** Makes a file of /data empty, or gives it a few bytes. */
export async function writeMark(
  container: Docker.Container,
  name: string,
  text: string,
): Promise<void> {
  const sizeBytes = Buffer.byteLength(text);
  await writeDataFile(container, { name, sizeBytes }, Readable.from([Buffer.from(text)]));
}

async function sizeOf(container: Docker.Container, name: string): Promise<number> {
  const { headers } = await container.infoArchive({ path: `${dataDir}/${name}` });
  const stat = Buffer.from(headers['x-docker-container-path-stat'], 'base64').toString();
  return (JSON.parse(stat) as { size: number }).size;
}
