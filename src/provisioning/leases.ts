/**
 * Leases: which reconciler may work on an instance.
 *
 * Guarantees: a claim is one UPDATE … WHERE … RETURNING, so two claimants never both win, on SQLite and
 * PostgreSQL alike; each claim raises the row's epoch, and a write with an older epoch changes nothing;
 * a lease that is not renewed for `leaseMs` is free for anybody, also where the clock was set back.
 */
import type { Clock } from '../lib/clock.ts';
import { aheadMaxMs, leaseMs } from '../lib/lease-times.ts';
import type { EntityManager, Orm } from '../store/database.ts';

/** Without a renewal for so long, a holder stops: before another may take the lease. */
export const renewalAgeMaxMs = 30_000;

/** A won claim. `attempts` counts this one in; 1 means that no run of this generation began before. */
export interface Claim {
  readonly instanceId: string;
  readonly epoch: number;
  readonly attempts: number;
}

export interface LeaseServices {
  readonly orm: Orm;
  readonly clock: Clock;
  /** Names this process, for people who read the table. */
  readonly owner: string;
}

interface ClaimedRow {
  readonly id: string;
  readonly lease_epoch: number;
  readonly attempts: number;
}

/**
 * Claims the instance that has waited longest for work, if there is one. A claimant that says what it has
 * `inHand` knows its own leases better than the table: none of these is claimed again, though a moved clock
 * lets them look as if they had run out; any other is free, for it was won by a claim whose answer was lost.
 */
export async function claimNext(
  { orm, clock, owner }: LeaseServices,
  inHand?: readonly string[],
): Promise<Claim | undefined> {
  const held = inHand ?? [];
  const others = held.length === 0 ? '' : `and id not in (${held.map(() => '?').join(', ')})`;
  const nowMs = clock.now().getTime();
  const reached = [nowMs, nowMs + aheadMaxMs];
  const free = [...reached, inHand ? owner : null];
  const rows = await execute<ClaimedRow[]>(
    orm,
    `update instances
        set lease_owner = ?, lease_expires_at_ms = ?, lease_epoch = lease_epoch + 1,
            attempts = attempts + 1
      where id = (
        select id from instances
         where applied_generation < generation and failed_generation < generation
           and (next_attempt_at_ms <= ? or next_attempt_at_ms > ?)
           and (lease_expires_at_ms <= ? or lease_expires_at_ms > ? or lease_owner = ?)
           ${others}
         order by next_attempt_at_ms, created_at limit 1)
        and (lease_expires_at_ms <= ? or lease_expires_at_ms > ? or lease_owner = ?)
      returning id, lease_epoch, attempts`,
    [owner, nowMs + leaseMs, ...reached, ...free, ...held, ...free],
    'all',
  );
  const row = rows[0];
  return (
    row && { instanceId: row.id, epoch: Number(row.lease_epoch), attempts: Number(row.attempts) }
  );
}

/** Renews a lease. Gives false when another has taken it: then its holder must stop. */
export async function renewLease(
  { orm, clock, owner }: LeaseServices,
  { instanceId, epoch }: Claim,
): Promise<boolean> {
  const rows = await execute<{ id: string }[]>(
    orm,
    // One that was given back meanwhile is nobody's: it must not be held for another term.
    `update instances set lease_expires_at_ms = ?
      where id = ? and lease_epoch = ? and lease_owner = ? returning id`,
    [clock.now().getTime() + leaseMs, instanceId, epoch, owner],
    'all',
  );
  return rows.length === 1;
}

/** Takes a try off the count, for one that broke off only because another took its lease over. */
export async function uncountTry(
  { orm }: LeaseServices,
  { instanceId, epoch }: Claim,
  generation: number,
): Promise<void> {
  await execute(
    orm,
    // One always stays: the next must know that something may have begun.
    `update instances set attempts = attempts - 1
      where id = ? and generation = ? and lease_epoch > ? and attempts > 1`,
    [instanceId, generation, epoch],
    'run',
  );
}

/**
 * Frees the leases that processes of this host held which are gone, so that a restart need not wait for
 * them to expire. `isGone` judges an owner's name.
 */
export async function freeDeadLeases(
  { orm, clock }: LeaseServices,
  isGone: (owner: string) => boolean,
): Promise<void> {
  const nowMs = clock.now().getTime();
  const held = await execute<{ id: string; lease_owner: string; lease_epoch: number }[]>(
    orm,
    'select id, lease_owner, lease_epoch from instances where lease_expires_at_ms > ?',
    [nowMs],
    'all',
  );
  for (const row of held.filter(({ lease_owner: owner }) => isGone(owner))) {
    await execute(
      orm,
      'update instances set lease_expires_at_ms = 0 where id = ? and lease_epoch = ?',
      [row.id, row.lease_epoch],
      'run',
    );
  }
}

function execute<T>(
  orm: Orm,
  sql: string,
  parameters: unknown[],
  method: 'all' | 'run',
): Promise<T> {
  const em = orm.em.fork() as EntityManager;
  return em.getConnection().execute(sql, parameters, method) as Promise<T>;
}
