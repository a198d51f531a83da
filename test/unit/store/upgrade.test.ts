/** A database of the first version, with data in it, brought up to date. */

import { MikroORM as LibSqlOrm } from '@mikro-orm/libsql';
import { Migrator } from '@mikro-orm/migrations';
import { MikroORM as PostgresOrm } from '@mikro-orm/postgresql';
import test, { type ExecutionContext } from 'ava';
import {
  type DatabaseLocation,
  type EntityManager,
  openDatabase,
} from '../../../src/store/database.ts';
import { AccountKeyEntity } from '../../../src/store/entities/account-key.ts';
import { DataKeyEntity, KeyBindingEntity } from '../../../src/store/entities/data-key.ts';
import { InstanceEntity } from '../../../src/store/entities/instance.ts';
import { OrganizationEntity } from '../../../src/store/entities/organization.ts';
import { SettingEntity } from '../../../src/store/entities/setting.ts';
import { FirstTables } from '../../../src/store/migrations/0001-first-tables.ts';
import { embeddedLocation, postgresLocation } from '../../support/databases.ts';

const at = '2024-01-15 10:30:00+00';
const instanceColumns = `id, organization_id, name, region, tier, created_at, updated_at, desired,
  generation, max_memory_bytes, eviction_policy, persistence, image, node_port, status,
  applied_generation, lease_expires_at_ms, lease_epoch, attempts, next_attempt_at_ms`;

function instance(id: string, status: string, port: number, persistence = false): string {
  return `insert into instances (${instanceColumns}) values
    ('${id}', 'org_a', 'n', 'eu-central', 'dedicated', '${at}', '${at}', 'present', 2, 67108864,
     'allkeys-lru', ${persistence}, 'i', ${port}, '${status}', 1, 0, 0, 0, 0)`;
}

const data = [
  `insert into organizations (id, name, created_at) values ('org_a', 'default', '${at}')`,
  `insert into account_keys (id, organization_id, name, secret_hash, created_at)
    values ('acct_a', 'org_a', 'first', 'hash-a', '${at}')`,
  instance('inst_a', 'RUNNING', 20001, true),
  instance('inst_b', 'FAILED', 20002),
  `insert into data_keys
    (id, organization_id, name, secret_hash, permissions, ip_whitelist, rate_limit, created_at)
    values ('key_a', 'org_a', 'k', 'hash-k', '["read","write"]', '[]', 1000, '${at}')`,
  `insert into key_bindings (instance_id, key_id, created_at) values ('inst_a', 'key_a', '${at}')`,
];

/** Makes the tables of the first version, with rows in each. */
async function makeFirstVersion(location: DatabaseLocation): Promise<void> {
  const options = {
    entities: [SettingEntity],
    extensions: [Migrator],
    logger: (): void => {},
    migrations: {
      migrationsList: [{ name: '0001-first-tables', class: FirstTables }],
      snapshot: false,
    },
  };
  const orm = location.databaseUrl
    ? await PostgresOrm.init({ ...options, clientUrl: location.databaseUrl })
    : await LibSqlOrm.init({ ...options, dbName: location.databaseFile });
  await orm.migrator.up();
  for (const statement of data) await (orm.em as EntityManager).getConnection().execute(statement);
  await orm.close();
}

async function keepsEverything(t: ExecutionContext, location: DatabaseLocation): Promise<void> {
  await makeFirstVersion(location);
  const orm = await openDatabase(location);
  t.teardown(() => orm.close());
  const em = orm.em.fork();
  t.like(await em.findOneOrFail(OrganizationEntity, { id: 'org_a' }), { plan: 'dedicated' });
  t.like(await em.findOneOrFail(AccountKeyEntity, { id: 'acct_a' }), {
    organizationId: 'org_a',
    role: 'owner',
    secretHash: 'hash-a',
  });
  t.like(await em.findOneOrFail(InstanceEntity, { id: 'inst_a' }), {
    status: 'RUNNING',
    nodePort: 20001,
    power: 'on',
    labels: {},
    failedGeneration: 0,
    reservedMib: 208,
  });
  t.like(await em.findOneOrFail(InstanceEntity, { id: 'inst_b' }), {
    status: 'FAILED',
    failedGeneration: 2,
    reservedMib: 160,
  });
  t.like(await em.findOneOrFail(DataKeyEntity, { id: 'key_a' }), { madeForInstanceId: 'inst_a' });
  t.is(await em.count(KeyBindingEntity, { instanceId: 'inst_a', keyId: 'key_a' }), 1);
}

test('an embedded database of the first version keeps everything', async (t) => {
  await keepsEverything(t, embeddedLocation(t));
});

test('a PostgreSQL database of the first version keeps everything', async (t) => {
  await keepsEverything(t, await postgresLocation());
});
