/**
 * Rates that several servers hold together, in their database: one row a rate, one statement a reservation.
 *
 * Guarantee: of a window no more than the limit is granted, whatever the number of servers: the row's lock
 * puts their reservations in order, and each sees what those before it have asked for. Only the database's
 * clock counts.
 */
import type { EntityManager, Orm } from '../../store/database.ts';
import { databaseNowMs } from '../../store/database-time.ts';
import { type RateRequest, type Reservation, share, windowMs } from './rate-store.ts';

/** A window so far ahead of the clock that nobody can have written it: the clock was set back. */
const aheadSMax = 5;
/** What nobody has used for so long is removed. */
const keptS = 60;

/** Makes what createRemoteStore asks. */
export function createDatabaseRates(orm: Orm): (request: RateRequest) => Promise<Reservation> {
  const now = databaseNowMs(orm);
  // Who waited for the row's lock comes with the second in which it began to wait: it takes of the row's,
  // or that window would begin once more for those after it.
  const isNew = `(excluded.window_s > rate_windows.window_s
                  or excluded.window_s < rate_windows.window_s - ${aheadSMax})`;
  const statement = `insert into rate_windows (name, window_s, used) values (?, ${now} / ${windowMs}, ?)
    on conflict (name) do update set
      used = case when ${isNew} then excluded.used else rate_windows.used + excluded.used end,
      window_s = case when ${isNew} then excluded.window_s else rate_windows.window_s end
    returning used, (window_s + 1) * ${windowMs} - ${now} as rest_ms`;
  return async ({ name, limit, points }) => {
    const em = orm.em.fork() as EntityManager;
    const rows = await em.getConnection().execute(statement, [name, points], 'all');
    const [row] = rows as { used: number | string; rest_ms: number | string }[];
    if (!row) throw new Error('the database gave no row back');
    const restMs = Math.min(Number(row.rest_ms), windowMs);
    return { ...share(limit, Number(row.used) - points, points), restMs };
  };
}

/** Removes the rows of rates that nobody uses any more. */
export async function removeOldRates({ orm }: { readonly orm: Orm }): Promise<void> {
  const em = orm.em.fork() as EntityManager;
  const before = `${databaseNowMs(orm)} / ${windowMs} - ${keptS}`;
  await em.getConnection().execute(`delete from rate_windows where window_s < ${before}`);
}
