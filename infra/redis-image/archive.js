/**
 * Writes an image of one layer in the format `docker load` takes. Writing it here, and not with
 * `docker build`, keeps the time of the build out of it: the image id depends on content alone.
 */
import { createHash } from 'node:crypto';

const blockSize = 512;
const epoch = '1970-01-01T00:00:00Z';

/**
 * @param {object} options
 * @param {string} options.repository name and version the tag starts with, `redis:7.0.15`.
 * @param {string} options.architecture as Docker names it: `amd64`, `arm64`.
 * @param {object} options.config what a container of this image starts with.
 * @param {{name: string, mode?: number, uid?: number, gid?: number, content?: Buffer,
 *   link?: string}[]} options.entries files, links, and (with neither) folders.
 * @returns {{archive: Buffer, tag: string, id: string}}
 */
export function buildImageArchive({ repository, architecture, config, entries }) {
  const layer = buildTar(withParents(entries));
  const configuration = Buffer.from(
    JSON.stringify({
      created: epoch,
      architecture,
      os: 'linux',
      config,
      rootfs: { type: 'layers', diff_ids: [`sha256:${digest(layer)}`] },
      history: [{ created: epoch, created_by: 'swiftcache infra/redis-image' }],
    }),
  );
  const hash = digest(configuration);
  const tag = `${repository}-${hash.slice(0, 12)}`;
  const manifest = [{ Config: `${hash}.json`, RepoTags: [tag], Layers: ['layer.tar'] }];
  const archive = buildTar([
    { name: `${hash}.json`, mode: 0o644, content: configuration },
    { name: 'layer.tar', mode: 0o644, content: layer },
    { name: 'manifest.json', mode: 0o644, content: Buffer.from(JSON.stringify(manifest)) },
  ]);
  return { archive, tag, id: `sha256:${hash}` };
}

/** Gives a ustar archive: entries in order of name, no times, owners by number only. */
export function buildTar(entries) {
  const sorted = [...entries].sort((a, b) => (a.name < b.name ? -1 : 1));
  const blocks = sorted.flatMap((entry) => [buildHeader(entry), pad(entry.content)]);
  return Buffer.concat([...blocks, Buffer.alloc(2 * blockSize)]);
}

function withParents(entries) {
  const names = new Set(entries.map(({ name }) => name));
  const parents = new Set();
  for (const { name } of entries) {
    for (let at = name.indexOf('/'); at !== -1; at = name.indexOf('/', at + 1)) {
      if (!names.has(name.slice(0, at))) parents.add(name.slice(0, at));
    }
  }
  return [...entries, ...[...parents].map((name) => ({ name, mode: 0o755 }))];
}

function buildHeader({ name, mode = 0o777, uid = 0, gid = 0, content, link }) {
  const isFolder = content === undefined && link === undefined;
  const header = Buffer.alloc(blockSize);
  const stored = isFolder ? `${name}/` : name;
  if (stored.length > 100) throw new Error(`The name is too long for this archive: ${stored}`);
  header.write(stored, 0);
  writeOctal(header, mode, 100, 8);
  writeOctal(header, uid, 108, 8);
  writeOctal(header, gid, 116, 8);
  writeOctal(header, content?.length ?? 0, 124, 12);
  writeOctal(header, 0, 136, 12);
  header.write('        ', 148);
  header.write(isFolder ? '5' : link === undefined ? '0' : '2', 156);
  header.write(link ?? '', 157);
  header.write('ustar\0' + '00', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  writeOctal(header, sum, 148, 8);
  return header;
}

function writeOctal(header, value, offset, length) {
  header.write(`${value.toString(8).padStart(length - 1, '0')}\0`, offset, 'latin1');
}

function pad(content = Buffer.alloc(0)) {
  const missing = (blockSize - (content.length % blockSize)) % blockSize;
  return Buffer.concat([content, Buffer.alloc(missing)]);
}

function digest(content) {
  return createHash('sha256').update(content).digest('hex');
}
