/**
 * Claims: which runner works on a backup, as leases.ts has it for instances. A wait until the next try is a
 * lease of nobody's.
 */
import type { Clock } from '../../lib/clock.ts';
import { aheadMaxMs, leaseMs } from '../../lib/lease-times.ts';
import type { EntityManager, Orm } from '../../store/database.ts';
import type { Backup } from '../../store/entities/backup.ts';
import { BackupEntity } from '../../store/entities/backup.ts';

export interface BackupClaim {
  readonly backupId: string;
  readonly epoch: number;
  readonly attempts: number;
}

interface ClaimServices {
  readonly orm: Orm;
  readonly clock: Clock;
  /** The process's identity. */
  readonly owner: string;
}

/** Another runner holds the backup now, or somebody deleted it: whoever gets this stops. */
export class ClaimLost extends Error {}

/** What waits for work; a failed one until its file is gone. */
const waits = `(status in ('QUEUED', 'RUNNING', 'DELETING')
    or (status = 'FAILED' and location is not null))
    and (lease_expires_at_ms <= ? or lease_expires_at_ms > ?)`;

/** Claims the oldest backup that waits for work, if there is one: by one UPDATE … RETURNING. */
export async function claimNext({
  orm,
  clock,
  owner,
}: ClaimServices): Promise<BackupClaim | undefined> {
  const nowMs = clock.now().getTime();
  const free = [nowMs, nowMs + aheadMaxMs];
  const em = orm.em.fork() as EntityManager;
  const rows = await em
    .getConnection()
    .execute<{ id: string; lease_epoch: number; attempts: number }[]>(
      `update backups
          set lease_owner = ?, lease_expires_at_ms = ?, lease_epoch = lease_epoch + 1,
              attempts = attempts + 1,
              status = case when status = 'QUEUED' then 'RUNNING' else status end
        where id = (
          select id from backups where ${waits} order by created_at, id limit 1)
          and ${waits}
        returning id, lease_epoch, attempts`,
      [owner, nowMs + leaseMs, ...free, ...free],
      'all',
    );
  const row = rows[0];
  return (
    row && { backupId: row.id, epoch: Number(row.lease_epoch), attempts: Number(row.attempts) }
  );
}

/** Renews a claim. @throws {ClaimLost} */
export async function renewClaim({ orm, clock }: ClaimServices, claim: BackupClaim): Promise<void> {
  await writeClaimed(orm, claim, { leaseExpiresAtMs: clock.now().getTime() + leaseMs });
}

/** Writes what came of the work so far. @throws {ClaimLost} where the claim no longer holds. */
export async function writeClaimed(
  orm: Orm,
  { backupId, epoch }: BackupClaim,
  changes: Partial<Backup>,
): Promise<void> {
  const where = { id: backupId, leaseEpoch: epoch };
  const changed = await orm.em.fork().nativeUpdate(BackupEntity, where, changes);
  if (changed === 0) throw new ClaimLost(`the claim of ${backupId} was taken over`);
}

/** Gives a claim back, to be taken again after `waitMs`. */
export async function giveBack(
  { orm, clock }: ClaimServices,
  claim: BackupClaim,
  { waitMs, attempts }: { waitMs: number; attempts: number },
): Promise<void> {
  const leaseExpiresAtMs = Math.round(clock.now().getTime() + waitMs);
  await writeClaimed(orm, claim, { leaseOwner: null, leaseExpiresAtMs, attempts });
}

/** Removes the row of what is gone from the store. */
export async function forget(orm: Orm, { backupId, epoch }: BackupClaim): Promise<void> {
  const where = { id: backupId, leaseEpoch: epoch, status: 'DELETING' as const };
  await orm.em.fork().nativeDelete(BackupEntity, where);
}

/** Frees the claims of processes that are gone, so that a restart need not wait for them to run out. */
export async function freeDeadClaims(
  { orm, clock }: ClaimServices,
  isGone: (owner: string) => boolean,
): Promise<void> {
  const held = await orm.em.fork().find(BackupEntity, {
    leaseExpiresAtMs: { $gt: clock.now().getTime() },
    leaseOwner: { $ne: null },
  });
  for (const { id, leaseOwner, leaseEpoch } of held) {
    if (!leaseOwner || !isGone(leaseOwner)) continue;
    const where = { id, leaseEpoch };
    await orm.em.fork().nativeUpdate(BackupEntity, where, { leaseExpiresAtMs: 0 });
  }
}
