import { Migration } from '@mikro-orm/migrations';
import { PostgreSqlDriver } from '@mikro-orm/postgresql';

/** What several gateway processes need to hold one rate together. Written like 0001. */
export class SharedRates extends Migration {
  override up(): void {
    this.addSql(table);
    // Its rows are worth one second: no write of them has to wait for the disk.
    if (this.driver instanceof PostgreSqlDriver) {
      this.addSql('alter table rate_windows set unlogged');
    }
  }
}

const table = `create table rate_windows (
    name varchar(255) not null primary key,
    window_s bigint not null,
    used bigint not null
  )`;
