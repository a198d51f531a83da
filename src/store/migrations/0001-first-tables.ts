import { Migration } from '@mikro-orm/migrations';

/**
 * The first tables. The SQL is the part of PostgreSQL's that SQLite reads too: SQLite takes the type
 * names for affinities, and MikroORM converts by the entities' types, not by the columns'.
 */
export class FirstTables extends Migration {
  override up(): void {
    for (const statement of statements) this.addSql(statement);
  }
}

const statements = [
  `create table organizations (
    id varchar(255) not null primary key,
    name varchar(255) not null,
    created_at timestamptz not null
  )`,
  `create table account_keys (
    id varchar(255) not null primary key,
    organization_id varchar(255) not null references organizations (id),
    name varchar(255) not null,
    secret_hash varchar(255) not null,
    created_at timestamptz not null,
    last_used_at timestamptz null
  )`,
  'create unique index account_keys_secret_hash_unique on account_keys (secret_hash)',
  `create table instances (
    id varchar(255) not null primary key,
    organization_id varchar(255) not null references organizations (id),
    name varchar(255) not null,
    region varchar(255) not null,
    tier varchar(255) not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    deleted_at timestamptz null,
    desired varchar(255) not null check (desired in ('present', 'absent')),
    generation int not null,
    max_memory_bytes bigint not null,
    eviction_policy varchar(255) not null,
    persistence boolean not null,
    image varchar(255) not null,
    node_port int null,
    status varchar(255) not null
      check (status in ('PROVISIONING', 'RUNNING', 'FAILED', 'DELETING', 'DELETED')),
    applied_generation int not null,
    node_host varchar(255) null,
    password_sealed text null,
    failure_code varchar(255) null,
    failure_message text null,
    lease_owner varchar(255) null,
    lease_expires_at_ms bigint not null,
    lease_epoch int not null,
    attempts int not null,
    next_attempt_at_ms bigint not null
  )`,
  'create index instances_organization on instances (organization_id, created_at, id)',
  // The reconciler's question, "which rows are not as wanted?", reads only the few that are not.
  `create index instances_unsettled on instances (next_attempt_at_ms)
    where status in ('PROVISIONING', 'DELETING')`,
  'create unique index instances_node_port on instances (region, node_port) where node_port is not null',
  `create table data_keys (
    id varchar(255) not null primary key,
    organization_id varchar(255) not null references organizations (id),
    name varchar(255) not null,
    secret_hash varchar(255) not null,
    permissions jsonb not null,
    ip_whitelist jsonb not null,
    rate_limit int not null,
    created_at timestamptz not null,
    last_used_at timestamptz null
  )`,
  'create unique index data_keys_secret_hash_unique on data_keys (secret_hash)',
  `create table key_bindings (
    instance_id varchar(255) not null references instances (id),
    key_id varchar(255) not null references data_keys (id) on delete cascade,
    created_at timestamptz not null,
    primary key (instance_id, key_id)
  )`,
  'create index key_bindings_key on key_bindings (key_id)',
  `create table operations (
    id varchar(255) not null primary key,
    organization_id varchar(255) not null references organizations (id),
    instance_id varchar(255) not null references instances (id),
    kind varchar(255) not null,
    generation int not null,
    status varchar(255) not null
      check (status in ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'SUPERSEDED')),
    progress int not null,
    steps jsonb not null,
    error_code varchar(255) null,
    error_message text null,
    created_at timestamptz not null,
    started_at timestamptz null,
    finished_at timestamptz null
  )`,
  'create index operations_instance on operations (instance_id, created_at)',
  `create table settings (
    name varchar(255) not null primary key,
    value text not null
  )`,
];
