/**
 * Builds a Redis image from the Debian (or Ubuntu) packages of this machine's release, for places
 * where no image registry answers.
 *
 * It guarantees:
 * - the same packages give the same image id, on any machine: every byte comes out of a package,
 *   in a fixed order, without times. An instance's stack therefore sees no change when its image
 *   was built again.
 * - nothing is installed on the machine, and no package's script is run.
 * - the image holds what Redis needs and no more: the server and its tools, a shell for the start
 *   line, their libraries, and `/data` and `/tmp` owned by user 999, so that a new volume at
 *   `/data` can be written by a server that is not root.
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import { buildImageArchive } from './archive.js';
import { extractPackages, findLibraries } from './packages.js';

const packages = ['redis-server', 'redis-tools', 'dash'];
const owner = { uid: 999, gid: 999 };
const settings = {
  User: '999:999',
  Env: ['PATH=/usr/local/bin:/usr/bin:/bin'],
  Cmd: ['redis-server'],
  WorkingDir: '/data',
  ExposedPorts: { '6379/tcp': {} },
};

/**
 * Builds the image as an archive that `docker load` takes.
 *
 * @param {object} options
 * @param {string} options.workDir a folder of the caller's, emptied first and left behind.
 * @param {(command: string, args: string[], options?: {cwd?: string}) => Promise<string>}
 *   options.run runs a program and gives its standard output; rejects when it fails.
 * @param {string} options.repository the image's name before the colon.
 * @returns {Promise<{archive: Buffer, tag: string, id: string, redisVersion: string,
 *   architecture: string}>} `id` is the digest of the image's configuration.
 * @throws {Error} when packages cannot be fetched or a library is missing from them.
 */
export async function buildRedisImage({ workDir, run, repository }) {
  await fs.rm(workDir, { recursive: true, force: true });
  const root = path.join(workDir, 'root');
  await fs.mkdir(root, { recursive: true });
  const versions = await extractPackages({ packages, workDir, root, run });
  const architecture = (await run('dpkg', ['--print-architecture'])).trim();
  const redisVersion = upstreamVersion(versions['redis-tools']);

  const image = buildImageArchive({
    repository: `${repository}:${redisVersion}`,
    architecture: architecture === 'armhf' ? 'arm' : architecture,
    config: { ...settings, Labels: describe(versions) },
    entries: await listEntries(root, run),
  });
  return { ...image, redisVersion, architecture };
}

/** Debian's `5:7.0.15-1~deb12u10` is Redis 7.0.15. */
export function upstreamVersion(debianVersion) {
  return debianVersion.replace(/^\d+:/, '').replace(/[-+~].*$/, '');
}

function describe(versions) {
  const sources = Object.entries(versions).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    'org.opencontainers.image.title': 'redis',
    'org.opencontainers.image.version': upstreamVersion(versions['redis-tools']),
    'dev.swiftcache.packages': sources.map(([name, version]) => `${name}=${version}`).join(' '),
  };
}

async function listEntries(root, run) {
  const server = path.join(root, 'usr/bin/redis-server');
  const client = path.join(root, 'usr/bin/redis-cli');
  const shell = await firstExisting([path.join(root, 'bin/dash'), path.join(root, 'usr/bin/dash')]);
  const { loader, libraries } = await findLibraries({
    root,
    programs: [server, client, shell],
    run,
  });

  return [
    ...['bin', 'etc', 'lib', 'usr', 'usr/bin'].map((name) => ({ name, mode: 0o755 })),
    { name: 'data', mode: 0o755, ...owner },
    { name: 'tmp', mode: 0o1777, ...owner },
    await program('usr/bin/redis-server', server),
    await program('usr/bin/redis-cli', client),
    await program('bin/sh', shell),
    // The server's program mends its own files when it is called by these names.
    { name: 'usr/bin/redis-check-aof', link: 'redis-server' },
    { name: 'usr/bin/redis-check-rdb', link: 'redis-server' },
    text('etc/passwd', 'root:x:0:0::/:/bin/sh\nredis:x:999:999::/data:/bin/sh\n'),
    text('etc/group', 'root:x:0:\nredis:x:999:\n'),
    await program(loader.name, loader.file),
    ...(await Promise.all(libraries.map(({ name, file }) => program(`lib/${name}`, file)))),
  ];
}

async function program(name, file) {
  return { name, mode: 0o755, content: await fs.readFile(file) };
}

function text(name, content) {
  return { name, mode: 0o644, content: Buffer.from(content) };
}

async function firstExisting(files) {
  for (const file of files) {
    try {
      await fs.access(file);
      return file;
    } catch {
      // Releases differ in whether /bin is a folder or a link to /usr/bin: try the next one.
    }
  }
  throw new Error(`None of these came out of the packages: ${files.join(', ')}`);
}
