import { Migration } from '@mikro-orm/migrations';

/** What drift, operators, backups and several servers need of the rows. Written like 0001. */
export class NeverStuck extends Migration {
  override up(): void {
    for (const statement of [...instances, ...backups, ...duties]) this.addSql(statement);
  }
}

const instances = [
  // A column's check cannot be changed on both engines, so another column takes its place.
  'drop index instances_region',
  `alter table instances add column state varchar(255) not null default 'PROVISIONING'
    check (state in ('PROVISIONING', 'RUNNING', 'DEGRADED', 'RESTARTING', 'STOPPING', 'STOPPED',
                     'STARTING', 'FAILED', 'DELETING', 'DELETED'))`,
  'update instances set state = status',
  'alter table instances drop column status',
  'alter table instances rename column state to status',
  "create index instances_region on instances (region) where status <> 'DELETED'",
  'alter table instances add column applied_image varchar(255) null',
  `update instances set applied_image = image where applied_max_memory_bytes is not null`,
  "alter table instances add column tried_settings jsonb not null default '[]'",
  `alter table instances add column drift_policy varchar(255) not null default 'repair'
    check (drift_policy in ('repair', 'report'))`,
  "alter table instances add column drift jsonb not null default '[]'",
  'alter table instances add column empty_volume_generation int not null default 0',
  'alter table instances add column restore_backup_id varchar(255) null',
  'alter table instances add column restore_generation int not null default 0',
  'alter table instances add column restore_begun_generation int not null default 0',
  'alter table instances add column backup_schedule varchar(255) null',
  'alter table instances add column backup_keep_count int null',
  'alter table instances add column backup_keep_days int null',
  'alter table instances add column backup_next_at timestamptz null',
  `create index instances_backup_due on instances (backup_next_at)
    where backup_next_at is not null`,
];

const backups = [
  `create table backups (
    id varchar(255) not null primary key,
    organization_id varchar(255) not null references organizations (id),
    instance_id varchar(255) not null references instances (id),
    kind varchar(255) not null check (kind in ('manual', 'scheduled', 'import')),
    status varchar(255) not null
      check (status in ('QUEUED', 'RUNNING', 'AVAILABLE', 'FAILED', 'DELETING')),
    created_at timestamptz not null,
    finished_at timestamptz null,
    verified_at timestamptz null,
    location varchar(255) null,
    size_bytes bigint null,
    sha256 varchar(255) null,
    key_count bigint null,
    memory_bytes bigint null,
    redis_version varchar(255) null,
    error_code varchar(255) null,
    error_message text null,
    lease_owner varchar(255) null,
    lease_expires_at_ms bigint not null,
    lease_epoch int not null default 0,
    attempts int not null default 0
  )`,
  'create index backups_instance on backups (instance_id, created_at, id)',
  'create index backups_organization on backups (organization_id, created_at, id)',
  // What the backup runner asks for again and again.
  `create index backups_open on backups (created_at)
    where status in ('QUEUED', 'RUNNING', 'DELETING')
      or (status = 'FAILED' and location is not null)`,
];

const duties = [
  `create table duties (
    name varchar(255) not null primary key,
    owner varchar(255) null,
    expires_at_ms bigint not null,
    epoch int not null default 0
  )`,
];
