import { Migration } from '@mikro-orm/migrations';
import { PostgreSqlDriver } from '@mikro-orm/postgresql';

/**
 * People, roles, the audit log, repeated requests, and what instances and keys gained with them.
 *
 * Written like 0001 for both engines. A column whose rules change is added anew, filled and renamed,
 * because SQLite changes no constraint in place, and a table that others refer to is never rebuilt.
 */
export class AccountsAndLimits extends Migration {
  override up(): void {
    for (const statement of [...instances, ...organizations, ...keys, ...people, ...records]) {
      this.addSql(statement);
    }
    // Triggers are the one thing that the two engines write differently.
    const isPostgres = this.driver instanceof PostgreSqlDriver;
    for (const statement of isPostgres ? appendOnlyPostgres : appendOnlySqlite) {
      this.addSql(statement);
    }
  }
}

const instances = [
  'drop index instances_unsettled',
  `alter table instances add column state varchar(255) not null default 'PROVISIONING'
    check (state in ('PROVISIONING', 'RUNNING', 'RESTARTING', 'STOPPING', 'STOPPED', 'STARTING',
                     'FAILED', 'DELETING', 'DELETED'))`,
  'update instances set state = status',
  'alter table instances drop column status',
  'alter table instances rename column state to status',
  // A wish that was given up is not begun again until somebody wishes anew.
  'alter table instances add column failed_generation int not null default 0',
  "update instances set failed_generation = generation where status = 'FAILED'",
  'alter table instances add column applied_max_memory_bytes bigint null',
  'alter table instances add column applied_eviction_policy varchar(255) null',
  'alter table instances add column applied_persistence boolean null',
  `update instances set applied_max_memory_bytes = max_memory_bytes,
      applied_eviction_policy = eviction_policy, applied_persistence = persistence
    where status = 'RUNNING'`,
  "alter table instances add column power varchar(255) not null default 'on' check (power in ('on', 'off'))",
  'alter table instances add column restart_generation int not null default 0',
  "alter table instances add column labels jsonb not null default '{}'",
  'alter table instances add column deletion_protection boolean not null default false',
  'alter table instances add column expires_at timestamptz null',
  'alter table instances add column access_revision int not null default 0',
  'alter table instances add column access_applied_revision int not null default 0',
  // The container's limit, which is what the host promises; 0004 in docs/decisions has the ratios.
  'alter table instances add column reserved_mib int not null default 0',
  `update instances set reserved_mib =
    32 + max_memory_bytes / 1048576 * (case when persistence then 11 else 8 end) / 4`,
  'create table regions (id varchar(255) not null primary key)',
  // The reconciler's question, "which rows are not as wanted?", reads only the few that are not.
  `create index instances_unsettled on instances (next_attempt_at_ms)
    where applied_generation < generation and failed_generation < generation`,
  // What the quotas count, whatever has ended or is gone.
  "create index instances_region on instances (region) where status <> 'DELETED'",
  `create index operations_open on operations (organization_id)
    where status in ('QUEUED', 'RUNNING')`,
  // The sweep of access asks this once a second.
  `create index instances_access_behind on instances (id)
    where access_applied_revision < access_revision`,
  'create index instances_expiry on instances (expires_at) where expires_at is not null',
];

const organizations = [
  "alter table organizations add column plan varchar(255) not null default 'free'",
  'alter table organizations add column deleted_at timestamptz null',
  // There was one organization until now, the operator's own.
  "update organizations set plan = 'dedicated'",
];

const keys = [
  // Nothing refers to account keys, so this table may be made anew: the organization can be missing.
  `create table account_keys_next (
    id varchar(255) not null primary key,
    organization_id varchar(255) null references organizations (id),
    user_id varchar(255) null,
    name varchar(255) not null,
    role varchar(255) not null check (role in ('owner', 'admin', 'developer', 'viewer')),
    secret_hash varchar(255) not null,
    created_at timestamptz not null,
    last_used_at timestamptz null,
    expires_at timestamptz null
  )`,
  `insert into account_keys_next
    (id, organization_id, user_id, name, role, secret_hash, created_at, last_used_at, expires_at)
    select id, organization_id, null, name, 'owner', secret_hash, created_at, last_used_at, null
      from account_keys`,
  'drop table account_keys',
  'alter table account_keys_next rename to account_keys',
  'create unique index account_keys_secret_hash_unique on account_keys (secret_hash)',
  'create index account_keys_organization on account_keys (organization_id, created_at, id)',
  'alter table data_keys add column expires_at timestamptz null',
  'alter table data_keys add column made_for_instance_id varchar(255) null',
  `update data_keys set made_for_instance_id =
    (select min(instance_id) from key_bindings where key_id = data_keys.id)`,
  'create index data_keys_organization on data_keys (organization_id, created_at, id)',
  'create index data_keys_expiry on data_keys (expires_at) where expires_at is not null',
];

const people = [
  `create table users (
    id varchar(255) not null primary key,
    email varchar(255) not null,
    name varchar(255) not null,
    password_hash varchar(255) not null,
    created_at timestamptz not null
  )`,
  'create unique index users_email_unique on users (email)',
  `create table sessions (
    id varchar(255) not null primary key,
    user_id varchar(255) not null references users (id) on delete cascade,
    secret_hash varchar(255) not null,
    created_at timestamptz not null,
    last_used_at timestamptz not null,
    expires_at timestamptz not null
  )`,
  'create unique index sessions_secret_hash_unique on sessions (secret_hash)',
  'create index sessions_user on sessions (user_id)',
  `create table memberships (
    organization_id varchar(255) not null references organizations (id) on delete cascade,
    user_id varchar(255) not null references users (id) on delete cascade,
    role varchar(255) not null check (role in ('owner', 'admin', 'developer', 'viewer')),
    created_at timestamptz not null,
    primary key (organization_id, user_id)
  )`,
  'create index memberships_user on memberships (user_id)',
  `create table invitations (
    id varchar(255) not null primary key,
    organization_id varchar(255) not null references organizations (id) on delete cascade,
    email varchar(255) null,
    role varchar(255) not null check (role in ('owner', 'admin', 'developer', 'viewer')),
    secret_hash varchar(255) not null,
    created_by varchar(255) null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    accepted_at timestamptz null,
    accepted_by varchar(255) null
  )`,
  'create unique index invitations_secret_hash_unique on invitations (secret_hash)',
  'create index invitations_organization on invitations (organization_id, created_at, id)',
  'create index invitations_maker on invitations (created_by)',
];

const records = [
  `create table audit_entries (
    id varchar(255) not null primary key,
    organization_id varchar(255) null,
    created_at timestamptz not null,
    actor_kind varchar(255) not null,
    actor_id varchar(255) null,
    action varchar(255) not null,
    outcome varchar(255) not null check (outcome in ('done', 'refused')),
    target_id varchar(255) null,
    ip varchar(255) null,
    request_id varchar(255) null,
    details jsonb not null
  )`,
  'create index audit_entries_organization on audit_entries (organization_id, created_at, id)',
  // What a person finds of themselves.
  'create index audit_entries_actor on audit_entries (actor_id, created_at, id)',
  'create index audit_entries_target on audit_entries (target_id, created_at, id)',
  `create table idempotency_records (
    scope varchar(255) not null,
    key varchar(255) not null,
    fingerprint varchar(255) not null,
    answer_sealed text null,
    created_at_ms bigint not null,
    primary key (scope, key)
  )`,
  'create index idempotency_records_created on idempotency_records (created_at_ms)',
];

const appendOnlyPostgres = [
  `create function refuse_audit_change() returns trigger as $$
    begin raise exception 'the audit log is append-only'; end
  $$ language plpgsql`,
  `create trigger audit_entries_append_only before update or delete or truncate on audit_entries
    for each statement execute function refuse_audit_change()`,
];

const appendOnlySqlite = ['update', 'delete'].map(
  (change) => `create trigger audit_entries_no_${change} before ${change} on audit_entries
    begin select raise(abort, 'the audit log is append-only'); end`,
);
