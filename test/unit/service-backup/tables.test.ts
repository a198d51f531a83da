/** The whole database as portable rows, from either engine into either. */
import test, { type ExecutionContext } from 'ava';
import type { Manifest } from '../../../src/service-backup/manifest.ts';
import { restoreDatabase } from '../../../src/service-backup/restore-database.ts';
import { dumpTables, listTables, loadRows } from '../../../src/service-backup/tables.ts';
import {
  connectDatabase,
  type DatabaseLocation,
  type EntityManager,
  migrationNames,
  type Orm,
  openDatabase,
} from '../../../src/store/database.ts';
import { InstanceEntity } from '../../../src/store/entities/instance.ts';
import { embeddedLocation, postgresLocation } from '../../support/databases.ts';
import { addInstance, addOperation } from '../../support/rows.ts';

const byKind = {
  text: `it's "one" \\ row ✓`,
  number: 4_102_444_800_123,
  boolean: true,
  time: '2024-01-15T10:30:00.123Z',
  json: { list: [1, 'two', null], nested: { a: true } },
};
/** What a column must hold for its row to be taken, or to be as a restore leaves it. */
const fixed: Readonly<Record<string, unknown>> = {
  organization_id: 'organizations-1',
  user_id: 'users-1',
  instance_id: 'instances-1',
  key_id: 'data_keys-1',
  desired: 'present',
  power: 'off',
  drift_policy: 'report',
  role: 'viewer',
  outcome: 'refused',
  resolution: 'hour',
  'backups.kind': 'import',
  'instances.status': 'STOPPED',
  'operations.status': 'FAILED',
  'backups.status': 'AVAILABLE',
  lease_owner: null,
  lease_expires_at_ms: 0,
  next_attempt_at_ms: 0,
  owner: null,
  expires_at_ms: 0,
};

/** One row in every table, every column of it filled. */
async function fillEveryTable(orm: Orm): Promise<Map<string, unknown[]>> {
  const filled = new Map<string, unknown[]>();
  const integers = await smallIntegers(orm);
  for (const { name, columns } of listTables(orm)) {
    const row = columns.map(({ name: column, kind }) => {
      if (column === 'id') return `${name}-1`;
      const forced = fixed[`${name}.${column}`] ?? fixed[column];
      if (forced !== undefined) return forced;
      return kind === 'number' && integers.has(`${name}.${column}`) ? 7 : byKind[kind];
    });
    filled.set(name, row);
    const text = `${JSON.stringify({ table: name, columns })}\n${JSON.stringify(row)}\n`;
    await loadRows(orm.em.fork() as EntityManager, text);
  }
  return filled;
}

/** The columns that hold 32 bits on PostgreSQL. */
async function smallIntegers(orm: Orm): Promise<Set<string>> {
  const entities = [...orm.getMetadata().getAll().values()];
  return new Set(
    entities.flatMap(({ tableName, props }) =>
      props
        .filter(({ type }) => type === 'integer')
        .map(({ fieldNames }) => `${tableName}.${fieldNames[0]}`),
    ),
  );
}

async function dump(orm: Orm): Promise<{ tables: Record<string, number>; texts: string[] }> {
  const tables: Record<string, number> = {};
  const texts: string[] = [];
  await dumpTables(orm, async ({ table, rows, text }) => {
    tables[table] = (tables[table] ?? 0) + rows;
    texts.push(text);
  });
  return { tables, texts };
}

async function restore(
  location: DatabaseLocation,
  { tables, texts }: Awaited<ReturnType<typeof dump>>,
  changes: Partial<Manifest> = {},
): Promise<void> {
  const members = texts.map((text, i) => ({ name: `database/${i}`, body: Buffer.from(text) }));
  const manifest: Manifest = {
    format: 1,
    version: '0.1.0',
    createdAt: '2026-01-01T00:00:00.000Z',
    installationId: 'swc_a',
    masterKeyFrom: 'file',
    migrations: [...migrationNames],
    tables,
    stacks: [],
    images: [],
    inMotion: [],
    warnings: [],
    members: [],
    ...changes,
  };
  await restoreDatabase(
    location,
    manifest,
    (async function* () {
      yield* members;
    })(),
  );
}

const engines = { embedded: embeddedLocation, PostgreSQL: postgresLocation };
type Locate = (t: ExecutionContext) => DatabaseLocation | Promise<DatabaseLocation>;

async function openThere(t: ExecutionContext, location: DatabaseLocation): Promise<Orm> {
  const orm = await openDatabase(location);
  t.teardown(() => orm.close());
  return orm;
}

for (const [from, locateFrom] of Object.entries<Locate>(engines)) {
  for (const [to, locateTo] of Object.entries<Locate>(engines)) {
    test(`every column of every table comes over, from ${from} to ${to}`, async (t) => {
      const source = await openThere(t, await locateFrom(t));
      const filled = await fillEveryTable(source);
      const before = await dump(source);
      t.is(before.texts.length, filled.size);
      for (const text of before.texts) {
        const [header, row] = text
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line));
        t.deepEqual(row, filled.get(header.table), header.table);
      }
      const place = await locateTo(t);
      await restore(place, before);
      const target = await openThere(t, place);
      const { texts } = await dump(target);
      const isAudit = (text: string): boolean => text.includes('"table":"audit_entries"');
      t.deepEqual(
        texts.filter((text) => !isAudit(text)),
        before.texts.filter((text) => !isAudit(text)),
      );
      const audit = texts.find(isAudit)?.trimEnd().split('\n') ?? [];
      t.is(audit.length, 3);
      t.true(audit.some((line) => line.includes('"service.restore"')));
      await t.throwsAsync(
        (target.em.fork() as EntityManager).execute('delete from audit_entries'),
        { message: /append-only/ },
      );
    });
  }
}

test('more rows than a chunk holds come over, each once', async (t) => {
  const source = await openThere(t, embeddedLocation(t));
  const instance = await addInstance(source);
  for (let i = 0; i < 2_050; i += 1) await addOperation(source, instance);
  const before = await dump(source);
  t.is(before.tables.operations, 2_050);
  const place = embeddedLocation(t);
  await restore(place, before);
  const target = await openThere(t, place);
  t.is((await dump(target)).tables.operations, 2_050);
});

test('after a restore nobody holds a lease, and what was in motion begins with recovery', async (t) => {
  const source = await openThere(t, embeddedLocation(t));
  const held = { leaseOwner: 'x', leaseExpiresAtMs: 9e15, nextAttemptAtMs: 9e15, leaseEpoch: 4 };
  const settled = await addInstance(source, { status: 'RUNNING', ...held });
  const moved = await addInstance(source, { status: 'RUNNING' });
  const open = await addInstance(source, { status: 'PROVISIONING', ...held });
  const gone = await addInstance(source, { status: 'DELETED' });
  const place = embeddedLocation(t);
  await restore(place, await dump(source), { inMotion: [moved.id, gone.id] });
  const em = (await openThere(t, place)).em.fork();
  const free = { leaseOwner: null, leaseExpiresAtMs: 0, nextAttemptAtMs: 0 };
  const read = (id: string) => em.findOneOrFail(InstanceEntity, { id });
  t.like(await read(settled.id), { ...free, generation: 1, attempts: 0, leaseEpoch: 4 });
  t.like(await read(moved.id), { ...free, generation: 2, appliedGeneration: 1, attempts: 1 });
  t.like(await read(open.id), { ...free, generation: 1, attempts: 1 });
  t.like(await read(gone.id), { generation: 1 });
});

for (const [engine, locate] of Object.entries<Locate>(engines)) {
  test(`a restore that breaks off leaves an empty database, which takes the next [${engine}]`, async (t) => {
    const source = await openThere(t, embeddedLocation(t));
    const { id } = await addInstance(source);
    const { tables, texts } = await dump(source);
    const header = { table: 'settings', columns: [{ name: 'no_such_column', kind: 'text' }] };
    const bad = `${JSON.stringify(header)}\n["x"]\n`;
    const place = await locate(t);
    const broken = restore(place, { tables, texts: [...texts, bad] });
    await t.throwsAsync(broken, { message: /no_such_column/ });
    const { orm, migrator } = await connectDatabase(place);
    t.deepEqual(await migrator.getExecuted(), []);
    await orm.close();
    await restore(place, { tables, texts });
    const target = await openThere(t, place);
    t.is(await target.em.fork().count(InstanceEntity, { id }), 1);
  });
}

test('rows of an older schema are brought forward', async (t) => {
  const columns = [
    { name: 'id', kind: 'text' },
    { name: 'name', kind: 'text' },
    { name: 'created_at', kind: 'time' },
  ];
  const header = { table: 'organizations', columns };
  const row = ['org_a', 'old', '2024-01-15T10:30:00.123Z'];
  const text = `${JSON.stringify(header)}\n${JSON.stringify(row)}\n`;
  const place = embeddedLocation(t);
  const older = { migrations: migrationNames.slice(0, 1) };
  await restore(place, { tables: { organizations: 1 }, texts: [text] }, older);
  const { texts } = await dump(await openThere(t, place));
  t.true(
    texts.some((found) => found.includes('["org_a","old","dedicated","2024-01-15T10:30:00.123Z"')),
  );
});
