import { PostgreSqlDriver } from '@mikro-orm/postgresql';
import type { Orm } from './database.ts';

/**
 * The database's own time in milliseconds, as an SQL expression: servers whose clocks differ, or jump, then
 * still agree on what has run out.
 */
export function databaseNowMs(orm: Orm): string {
  return orm.em.getDriver() instanceof PostgreSqlDriver
    ? 'cast(extract(epoch from clock_timestamp()) * 1000 as bigint)'
    : "cast(unixepoch('subsec') * 1000 as integer)";
}
