import { PostgreSqlDriver } from '@mikro-orm/postgresql';
import type { EntityManager, Orm } from './database.ts';

/** Any number that nothing else on the database locks. */
const lockNumber = 5_704_219_633;

/**
 * Does what a server does at its start (migrations, the first rows) while no other server does it. The lock
 * is a transaction's of PostgreSQL, so it ends with the process that holds it; an embedded database belongs
 * to one process anyway.
 */
export async function inStartTurn<T>(orm: Orm, work: () => Promise<T>): Promise<T> {
  if (!(orm.em.getDriver() instanceof PostgreSqlDriver)) return await work();
  const em = orm.em.fork() as EntityManager;
  return await em.transactional(async (tx) => {
    await tx.execute(`select pg_advisory_xact_lock(${lockNumber})`);
    return await work();
  });
}
