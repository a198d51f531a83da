/**
 * The store: MikroORM over the embedded database (libSQL, a SQLite) or PostgreSQL.
 *
 * Guarantees: the same entities, migrations and queries on both engines; the embedded file runs in WAL
 * mode with a busy time-out, so a second process that looks at it does not break a writer. Nothing is
 * awaited inside a transaction but the database itself, through the transaction's own entity manager: the
 * embedded engine has one connection, and whoever waits for anything else would stop every request.
 */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type {
  EntityManager as CoreEntityManager,
  MikroORM as CoreOrm,
  IMigrator,
} from '@mikro-orm/core';
import { MikroORM as LibSqlOrm } from '@mikro-orm/libsql';
import { Migrator } from '@mikro-orm/migrations';
import { MikroORM as PostgresOrm } from '@mikro-orm/postgresql';
import type { SqlEntityManager } from '@mikro-orm/sql';
import type { Config } from '../config.ts';
import { takeRollbackAsDone } from './embedded-rollback.ts';
import { AccountKeyEntity } from './entities/account-key.ts';
import { AuditEntryEntity } from './entities/audit-entry.ts';
import { BackupEntity } from './entities/backup.ts';
import { DataKeyEntity, KeyBindingEntity } from './entities/data-key.ts';
import { DutyEntity } from './entities/duty.ts';
import { IdempotencyRecordEntity } from './entities/idempotency-record.ts';
import { InstanceEntity } from './entities/instance.ts';
import { InvitationEntity, MembershipEntity } from './entities/membership.ts';
import { MetricBaselineEntity } from './entities/metric-baseline.ts';
import { MetricPointEntity } from './entities/metric-point.ts';
import { OperationEntity } from './entities/operation.ts';
import { OrganizationEntity } from './entities/organization.ts';
import { RateWindowEntity } from './entities/rate-window.ts';
import { RegionEntity } from './entities/region.ts';
import { SettingEntity } from './entities/setting.ts';
import { SessionEntity, UserEntity } from './entities/user.ts';
import { FirstTables } from './migrations/0001-first-tables.ts';
import { AccountsAndLimits } from './migrations/0002-accounts-and-limits.ts';
import { Metrics } from './migrations/0003-metrics.ts';
import { NeverStuck } from './migrations/0004-never-stuck.ts';
import { SharedRates } from './migrations/0005-shared-rates.ts';
import { inStartTurn } from './start-turn.ts';

export type Orm = CoreOrm;
export type EntityManager = CoreEntityManager & SqlEntityManager;

/** What says where the database is; a part of Config. */
export type DatabaseLocation = Pick<Config, 'databaseUrl' | 'databaseFile'>;

const options = {
  entities: [
    OrganizationEntity,
    AccountKeyEntity,
    InstanceEntity,
    DataKeyEntity,
    KeyBindingEntity,
    OperationEntity,
    SettingEntity,
    RegionEntity,
    UserEntity,
    SessionEntity,
    MembershipEntity,
    InvitationEntity,
    AuditEntryEntity,
    IdempotencyRecordEntity,
    MetricBaselineEntity,
    MetricPointEntity,
    BackupEntity,
    DutyEntity,
    RateWindowEntity,
  ],
  extensions: [Migrator],
  // Queries hold values; what is worth a line is logged by the code that asks.
  logger: (): void => {},
  migrations: {
    migrationsList: [
      { name: '0001-first-tables', class: FirstTables },
      { name: '0002-accounts-and-limits', class: AccountsAndLimits },
      { name: '0003-metrics', class: Metrics },
      { name: '0004-never-stuck', class: NeverStuck },
      { name: '0005-shared-rates', class: SharedRates },
    ],
    snapshot: false,
  },
};

/** The migrations of this version, oldest first. */
export const migrationNames: readonly string[] = options.migrations.migrationsList.map(
  ({ name }) => name,
);

/** A database as it is: its schema changes only where the migrator is asked to. */
export interface Connection {
  readonly orm: Orm;
  readonly migrator: Pick<IMigrator, 'up' | 'getPending' | 'getExecuted'>;
}

/** Opens the database and brings its schema up to date. The caller closes it (`orm.close()`). */
export async function openDatabase(location: DatabaseLocation): Promise<Orm> {
  const { orm, migrator } = await connectDatabase(location);
  await inStartTurn(orm, () => migrator.up());
  return orm;
}

/** Opens the database without touching its schema. The caller closes it. */
export async function connectDatabase(location: DatabaseLocation): Promise<Connection> {
  const orm = location.databaseUrl
    ? await PostgresOrm.init({ ...options, clientUrl: location.databaseUrl })
    : await openEmbedded(location.databaseFile);
  return { orm: orm as unknown as Orm, migrator: orm.migrator };
}

async function openEmbedded(file: string): Promise<LibSqlOrm> {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const orm = await LibSqlOrm.init({
    ...options,
    dbName: file,
    onCreateConnection: takeRollbackAsDone,
  });
  // The embedded engine keeps one connection for as long as it is open, so once is enough.
  for (const pragma of ['journal_mode=wal', 'busy_timeout=5000', 'synchronous=normal']) {
    await orm.em.getConnection().execute(`pragma ${pragma}`);
  }
  return orm;
}
