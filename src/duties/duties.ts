/**
 * Duties: work that one server does for all of them, such as sampling metrics.
 *
 * A duty is a row that names its owner and until when. Whoever holds it runs the work and renews the row;
 * the others ask for it once a second. Guarantees:
 * - A duty is taken by one UPDATE … WHERE … RETURNING: of any number of servers one gets it.
 * - The work is stopped where the duty is lost, and where it could not be renewed in time. A server that
 *   stood still may find out late, so what is done as a duty must do no harm twice: a duty saves work, it
 *   is no lock on data.
 * - A duty is handed back at an orderly end, and taken at once from a process of this host that is gone;
 *   from any other that is silent after `leaseMs`.
 * - Only the database's clock counts. A time that no owner can have written, since the clock was set back,
 *   counts as over.
 *
 * A holder's life: waiting → working → waiting, until it is stopped. runHolder is all of it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../lib/logger.ts';
import type { EntityManager, Orm } from '../store/database.ts';
import { databaseNowMs } from '../store/database-time.ts';

export interface DutyServices {
  readonly orm: Orm;
  readonly logger: Logger;
  /** Names this process. */
  readonly owner: string;
  /** Whether an owner is known to be gone. */
  readonly isGone: (owner: string) => boolean;
}

/** Work under way; `stop` ends it and waits for what is in hand. */
export interface DutyWork {
  stop(): Promise<void>;
}

export interface HeldDuty {
  /** Ends the work, hands the duty back and asks for it no more. */
  stop(): Promise<void>;
}

export interface DutyTimes {
  readonly leaseMs: number;
  readonly renewMs: number;
  readonly pollMs: number;
}

const defaultTimes: DutyTimes = { leaseMs: 15_000, renewMs: 5_000, pollMs: 1_000 };

/** Runs the work that `start` begins whenever this process holds the duty; it may begin more than once. */
export function holdDuty(
  services: DutyServices,
  name: string,
  start: () => DutyWork | Promise<DutyWork>,
  times: DutyTimes = defaultTimes,
): HeldDuty {
  const ending = new AbortController();
  const running = runHolder({ ...services, name, times, signal: ending.signal }, start);
  return {
    async stop() {
      ending.abort();
      await running;
    },
  };
}

/** Does `work` while no other process does what has the same name; waits for its turn. */
export async function doInTurn<T>(
  services: DutyServices,
  name: string,
  work: () => Promise<T>,
): Promise<T> {
  const { promise: turn, resolve } = Promise.withResolvers<void>();
  const duty = holdDuty(services, name, () => {
    resolve();
    return { stop: async () => {} };
  });
  try {
    await turn;
    return await work();
  } finally {
    await duty.stop();
  }
}

interface Holder extends DutyServices {
  readonly name: string;
  readonly times: DutyTimes;
  readonly signal: AbortSignal;
}

/** A duty that is held, and until when without another renewal, by this process's own clock. */
interface Hold {
  readonly epoch: number;
  readonly untilMs: number;
}

/** Never rejects. */
async function runHolder(holder: Holder, start: () => DutyWork | Promise<DutyWork>): Promise<void> {
  const { logger, name, signal, times } = holder;
  while (!signal.aborted) {
    const hold = await take(holder).catch((error) => warn(error, 'a duty could not be asked for'));
    if (!hold) {
      await sleep(times.pollMs, undefined, { signal }).catch(() => {});
      continue;
    }
    logger.info({ duty: name, epoch: hold.epoch }, 'a duty was taken');
    try {
      const work = await start();
      await keepRenewing(holder, hold);
      await work.stop();
    } catch (error) {
      warn(error, 'a duty broke off');
      await sleep(times.pollMs, undefined, { signal }).catch(() => {});
    }
    await handBack(holder, hold).catch((error) => warn(error, 'a duty was not handed back'));
  }

  function warn(error: unknown, message: string): void {
    logger.warn({ err: error, duty: name }, message);
  }
}

/** Resolves when the duty is lost, could not be renewed in time, or the holder is stopped. */
async function keepRenewing(holder: Holder, { epoch, untilMs }: Hold): Promise<void> {
  const { logger, name, signal, times } = holder;
  let heldUntilMs = untilMs;
  for (;;) {
    await sleep(times.renewMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    const askedMs = performance.now();
    // A database that does not answer must not keep the work going beyond its time.
    const patience = sleep(times.renewMs, undefined, { signal }).catch(() => undefined);
    const isHeld = await Promise.race([renew(holder, epoch).catch(() => undefined), patience]);
    if (isHeld) heldUntilMs = askedMs + times.leaseMs;
    else if (isHeld === false || performance.now() + times.renewMs > heldUntilMs) {
      logger.warn({ duty: name, epoch }, 'a duty was lost');
      return;
    }
  }
}

async function take({ orm, name, owner, isGone, times }: Holder): Promise<Hold | undefined> {
  const askedMs = performance.now();
  const found = await query<{ owner: string | null; epoch: number }>(
    orm,
    'select owner, epoch from duties where name = ?',
    [name],
  );
  if (!found[0]) {
    const first = `insert into duties (name, owner, expires_at_ms, epoch) values (?, null, 0, 0)
                   on conflict (name) do nothing returning epoch`;
    await query(orm, first, [name]);
  }
  const gone = found[0]?.owner && isGone(found[0].owner) ? Number(found[0].epoch) : -1;
  const now = databaseNowMs(orm);
  const [row] = await query<{ epoch: number }>(
    orm,
    `update duties set owner = ?, expires_at_ms = ${now} + ?, epoch = epoch + 1
      where name = ? and (expires_at_ms <= ${now} or expires_at_ms > ${now} + ? or epoch = ?)
      returning epoch`,
    [owner, times.leaseMs, name, times.leaseMs, gone],
  );
  return row && { epoch: Number(row.epoch), untilMs: askedMs + times.leaseMs };
}

async function renew({ orm, name, owner, times }: Holder, epoch: number): Promise<boolean> {
  const rows = await query(
    orm,
    `update duties set expires_at_ms = ${databaseNowMs(orm)} + ?
      where name = ? and owner = ? and epoch = ? returning epoch`,
    [times.leaseMs, name, owner, epoch],
  );
  return rows.length === 1;
}

/** Changes nothing where another has it by now. */
async function handBack({ orm, name, owner }: Holder, { epoch }: Hold): Promise<void> {
  await query(
    orm,
    `update duties set owner = null, expires_at_ms = 0
      where name = ? and owner = ? and epoch = ? returning epoch`,
    [name, owner, epoch],
  );
}

function query<Row>(orm: Orm, sql: string, parameters: unknown[]): Promise<Row[]> {
  const em = orm.em.fork() as EntityManager;
  return em.getConnection().execute(sql, parameters, 'all') as Promise<Row[]>;
}
