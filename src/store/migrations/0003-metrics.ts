import { Migration } from '@mikro-orm/migrations';

/** What instances do, minute by minute, and the counters it is measured from. Written like 0001. */
export class Metrics extends Migration {
  override up(): void {
    for (const statement of statements) this.addSql(statement);
  }
}

const statements = [
  `create table metric_baselines (
    instance_id varchar(255) not null primary key references instances (id) on delete cascade,
    run_id varchar(255) null,
    server_time_us bigint not null,
    commands bigint not null,
    bytes_in bigint not null,
    bytes_out bigint not null,
    hits bigint not null,
    misses bigint not null,
    evicted bigint not null,
    expired bigint not null,
    latency jsonb not null
  )`,
  // What instances did until now cannot be told by minutes: counting begins with the first look.
  `insert into metric_baselines
    (instance_id, run_id, server_time_us, commands, bytes_in, bytes_out, hits, misses, evicted, expired,
     latency)
    select id, null, 0, 0, 0, 0, 0, 0, 0, 0, '{}' from instances where status <> 'DELETED'`,
  `create table metric_points (
    instance_id varchar(255) not null references instances (id) on delete cascade,
    resolution varchar(255) not null check (resolution in ('minute', 'hour')),
    at_ms bigint not null,
    commands bigint not null,
    bytes_in bigint not null,
    bytes_out bigint not null,
    hits bigint not null,
    misses bigint not null,
    evicted bigint not null,
    expired bigint not null,
    memory_used bigint not null,
    clients int not null,
    latency jsonb not null,
    primary key (instance_id, resolution, at_ms)
  )`,
  // What is old enough to be rolled up or to go.
  'create index metric_points_age on metric_points (resolution, at_ms)',
];
