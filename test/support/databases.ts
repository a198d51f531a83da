/**
 * Real databases for tests: the embedded one in a temporary file, and PostgreSQL.
 *
 * `testOnEachDatabase` registers a test once for each. A file's PostgreSQL server starts with the first
 * test that needs it and ends with the file; every test has a database of its own, a copy of one that was
 * migrated for the whole file: migrating each would take longer than most tests.
 */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createTurns } from '../../src/lib/turns.ts';
import { type DatabaseLocation, type Orm, openDatabase } from '../../src/store/database.ts';
import { type PostgresServer, startPostgresServer } from './postgres-server.ts';

type DatabaseTest = (t: ExecutionContext, orm: Orm, location: DatabaseLocation) => Promise<void>;

/** Registers `run` for the embedded database and for PostgreSQL. */
export function testOnEachDatabase(title: string, run: DatabaseTest): void {
  testOn('embedded', migratedEmbedded, title, run);
  testOnPostgres(title, run);
}

/** Registers `run` for PostgreSQL only: what the embedded engine cannot tell. */
export function testOnPostgres(title: string, run: DatabaseTest): void {
  testOn('PostgreSQL', migratedPostgres, title, run);
}

type Owner = Pick<ExecutionContext, 'teardown'>;

function testOn(
  engine: string,
  locate: (t: Owner) => DatabaseLocation | Promise<DatabaseLocation>,
  title: string,
  run: DatabaseTest,
): void {
  test(`${title} [${engine}]`, async (t) => {
    await takeTurn(t);
    const location = await locate(t);
    const orm = await openDatabase(location);
    t.teardown(() => orm.close());
    await run(t, orm, location);
  });
}

/** A file's tests all begin at once; a server has connections for so many of them. */
const inTurn = createTurns({
  runningMax: 12,
  waitingMax: Number.POSITIVE_INFINITY,
  refuse: () => new Error('nobody is refused'),
});

/** Waits until this test may begin; the next may once all of it is torn down. */
async function takeTurn(t: Owner): Promise<void> {
  const ended = Promise.withResolvers<void>();
  t.teardown(() => ended.resolve());
  await new Promise<void>((begin) => {
    void inTurn(() => {
      begin();
      return ended.promise;
    });
  });
}

/** A migrated embedded database in a temporary folder, closed and removed with its test. */
export async function openTestDatabase(t: Owner): Promise<Orm> {
  const orm = await openDatabase(await migratedEmbedded(t));
  t.teardown(() => orm.close());
  return orm;
}

/** The place of an embedded database that does not exist yet; its folder goes with the test. */
export function embeddedLocation(t: Owner): DatabaseLocation {
  const folder = mkdtempSync(join(tmpdir(), 'swiftcache-store-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return { databaseUrl: undefined, databaseFile: join(folder, 'test.db') };
}

let migratedFile: Promise<string> | undefined;

/** A migrated embedded database; its folder goes with the test. */
async function migratedEmbedded(t: Owner): Promise<DatabaseLocation> {
  migratedFile ??= migrateFile();
  const location = embeddedLocation(t);
  copyFileSync(await migratedFile, location.databaseFile);
  return location;
}

async function migrateFile(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'swiftcache-migrated-'));
  fileEnds.push(() => rmSync(folder, { recursive: true, force: true }));
  const databaseFile = join(folder, 'migrated.db');
  // Closing it writes what is in the log into the one file that is copied.
  await (await openDatabase({ databaseUrl: undefined, databaseFile })).close();
  return databaseFile;
}

const fileEnds: (() => void)[] = [];
let starting: Promise<PostgresServer> | undefined;
let migrated: Promise<string> | undefined;
let databases = 0;

/** An empty database of this file's PostgreSQL server. */
export async function postgresLocation(): Promise<DatabaseLocation> {
  return await makeDatabase();
}

/** A migrated database of this file's PostgreSQL server. */
async function migratedPostgres(): Promise<DatabaseLocation> {
  migrated ??= migrateTemplate();
  return await makeDatabase(await migrated);
}

async function makeDatabase(template?: string): Promise<DatabaseLocation> {
  starting ??= startPostgresServer();
  const server = await starting;
  databases += 1;
  const databaseUrl = await server.createDatabase(`test_${databases}`, template);
  return { databaseUrl, databaseFile: '' };
}

async function migrateTemplate(): Promise<string> {
  const name = 'migrated';
  starting ??= startPostgresServer();
  const databaseUrl = await (await starting).createDatabase(name);
  // Nobody may be connected to a database that is copied.
  await (await openDatabase({ databaseUrl, databaseFile: '' })).close();
  return name;
}

test.after.always('what this file had of databases is removed', async () => {
  for (const end of fileEnds) end();
  const server = await starting?.catch(() => undefined);
  await server?.stop();
});
