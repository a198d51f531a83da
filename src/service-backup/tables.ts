/**
 * The database as portable rows: what both engines keep each in its own way, said in JSON's.
 *
 * A chunk of rows is lines of JSON: first the table with its columns and their kinds, then a row a line,
 * times in ISO 8601. So it can be loaded into the other engine, and into a schema of its own time.
 */
import { IsolationLevel } from '@mikro-orm/core';
import { PostgreSqlDriver } from '@mikro-orm/postgresql';
import type { EntityManager, Orm } from '../store/database.ts';

type Kind = 'text' | 'number' | 'boolean' | 'time' | 'json';
type Portable = string | number | boolean | null | object;

interface Column {
  readonly name: string;
  readonly kind: Kind;
}

interface Table {
  readonly name: string;
  readonly key: readonly string[];
  readonly columns: readonly Column[];
}

export interface RowChunk {
  readonly table: string;
  readonly rows: number;
  readonly text: string;
}

/** Every table after those that it refers to. */
const loadOrder = [
  'settings',
  'organizations',
  'users',
  'sessions',
  'memberships',
  'invitations',
  'account_keys',
  'regions',
  'instances',
  'data_keys',
  'key_bindings',
  'operations',
  'metric_baselines',
  'metric_points',
  'backups',
  'audit_entries',
  'idempotency_records',
  'duties',
  'rate_windows',
];

const rowsPerChunk = 1_000;
const parametersPerInsert = 5_000;

/**
 * Reads every table, as all of them were at one moment.
 * @param orm a connection of its own: it is held until the last chunk was taken.
 */
export async function dumpTables(
  orm: Orm,
  take: (chunk: RowChunk) => Promise<void>,
): Promise<void> {
  const em = orm.em.fork() as EntityManager;
  // The embedded engine's transactions see one moment anyway and have no levels.
  const moment = isPostgres(em)
    ? { isolationLevel: IsolationLevel.REPEATABLE_READ, readOnly: true }
    : {};
  await em.transactional(async (tx) => {
    for (const table of listTables(orm)) await dumpTable(tx, table, take);
  }, moment);
}

async function dumpTable(
  tx: EntityManager,
  { name, key, columns }: Table,
  take: (chunk: RowChunk) => Promise<void>,
): Promise<void> {
  const names = columns.map((column) => quote(column.name)).join(', ');
  const keys = key.map(quote).join(', ');
  const header = JSON.stringify({ table: name, columns });
  let last: unknown[] | undefined;
  for (;;) {
    const after = last ? ` where (${keys}) > (${last.map(() => '?').join(', ')})` : '';
    const query = `select ${names} from ${quote(name)}${after} order by ${keys} limit ${rowsPerChunk}`;
    const found = await tx.execute<Record<string, unknown>[]>(query, last);
    if (found.length > 0) {
      const lines = found.map((row) =>
        JSON.stringify(columns.map((column) => toPortable(row[column.name], column.kind))),
      );
      await take({ table: name, rows: found.length, text: `${[header, ...lines].join('\n')}\n` });
    }
    const end = found.at(-1);
    if (!end || found.length < rowsPerChunk) return;
    last = key.map((column) => end[column]);
  }
}

/** Inserts the rows of one chunk. @throws where the schema does not have its table or columns. */
export async function loadRows(tx: EntityManager, text: string): Promise<void> {
  const [first, ...lines] = text.trimEnd().split('\n');
  const { table, columns } = JSON.parse(first ?? '') as { table: string; columns: Column[] };
  const names = columns.map((column) => quote(column.name)).join(', ');
  const place = `(${columns.map(() => '?').join(', ')})`;
  const rowsPerInsert = Math.max(1, Math.floor(parametersPerInsert / columns.length));
  for (let start = 0; start < lines.length; start += rowsPerInsert) {
    const rows = lines
      .slice(start, start + rowsPerInsert)
      .map((line) => JSON.parse(line) as Portable[]);
    const values = rows.flatMap((row) =>
      columns.map(({ kind }, index) => fromPortable(tx, row[index] ?? null, kind)),
    );
    const places = rows.map(() => place).join(', ');
    await tx.execute(`insert into ${quote(table)} (${names}) values ${places}`, values);
  }
}

/** Every table of the service, in the order in which they can be filled. */
export function listTables(orm: Orm): Table[] {
  const tables = [...orm.getMetadata().getAll().values()].map((entity): Table => {
    const columns = entity.props.map((property) => ({
      name: property.fieldNames[0] ?? property.name,
      kind: kindOf(property.runtimeType, property.customType !== undefined),
    }));
    const key = entity.primaryKeys.map((name) => {
      return entity.props.find((property) => property.name === name)?.fieldNames[0] ?? name;
    });
    return { name: entity.tableName, key, columns };
  });
  const place = ({ name }: Table): number => {
    const found = loadOrder.indexOf(name);
    if (found < 0) throw new Error(`the table ${name} has no place in the order of a restore`);
    return found;
  };
  return tables.sort((one, other) => place(one) - place(other));
}

function kindOf(runtimeType: string, isCustom: boolean): Kind {
  if (runtimeType === 'Date') return 'time';
  if (runtimeType === 'boolean' || runtimeType === 'number') return runtimeType;
  return runtimeType === 'string' && !isCustom ? 'text' : 'json';
}

function toPortable(value: unknown, kind: Kind): Portable {
  if (value === null || value === undefined) return null;
  if (kind === 'time') return new Date(value as Date | string | number).toISOString();
  if (kind === 'boolean') return Boolean(value);
  if (kind === 'number') return Number(value);
  if (kind === 'json') return typeof value === 'string' ? JSON.parse(value) : value;
  return String(value);
}

function fromPortable(tx: EntityManager, value: Portable, kind: Kind): unknown {
  if (value === null) return null;
  if (kind === 'time') return tx.getPlatform().processDateProperty(new Date(value as string));
  if (kind === 'boolean') return isPostgres(tx) ? value : Number(value);
  return kind === 'json' ? JSON.stringify(value) : value;
}

function isPostgres(em: EntityManager): boolean {
  return em.getDriver() instanceof PostgreSqlDriver;
}

function quote(name: string): string {
  return `"${name}"`;
}
