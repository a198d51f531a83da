/**
 * How long backups are kept: a duty of housekeeping.
 *
 *   scheduled   as many and as long as the instance's `backups` say; the newest that is AVAILABLE stays,
 *               so that days of failures do not end with no backup at all
 *   manual, import   until somebody deletes them
 *   FAILED      a week, to be read
 *   of a deleted instance   30 days from its deletion, whatever their kind: a deletion can be undone
 *   of a deleted organization   not at all
 */
import type { InstanceServices } from '../instances/services.ts';
import type { EntityManager } from '../store/database.ts';
import { type Backup, BackupEntity } from '../store/entities/backup.ts';
import { InstanceEntity } from '../store/entities/instance.ts';
import type { BackupPorts } from './services.ts';

const dayMs = 24 * 3_600_000;
const failedKeptDays = 7;
const orphanKeptDays = 30;
/** How many rows one question gives; what is left over is found in the next round. */
const batchMax = 200;

type RetentionServices = Pick<InstanceServices, 'orm' | 'clock'> &
  Pick<BackupPorts, 'backupRunner'>;

/** How many scheduled backups an instance keeps, and for how many days. */
export interface KeepRule {
  readonly count: number | null | undefined;
  readonly days: number | null | undefined;
}

/** Wants the backups gone that are kept no longer. */
export async function dropOldBackups({
  orm,
  clock,
  backupRunner,
}: RetentionServices): Promise<void> {
  const em = orm.em.fork() as EntityManager;
  const now = clock.now();
  const ids = new Set([
    ...(await findFailed(em, now)),
    ...(await findOrphans(em, now)),
    ...(await findOverdue(em, now)),
  ]);
  if (ids.size === 0) return;
  // As markDeleting does. One that somebody restores from just now is looked at again in the next round.
  const gone = { status: 'DELETING', leaseOwner: null, leaseExpiresAtMs: 0, attempts: 0 } as const;
  const restored = await findRestored(em);
  for (const id of ids) {
    if (restored.has(id)) continue;
    const where = { id, status: { $in: ['AVAILABLE' as const, 'FAILED' as const] } };
    await em.nativeUpdate(BackupEntity, where, gone);
  }
  backupRunner.wake();
}

/**
 * Which of an instance's AVAILABLE scheduled backups are kept no longer.
 * @param newestFirst all of them.
 */
export function overdue<Row extends Pick<Backup, 'createdAt'>>(
  newestFirst: readonly Row[],
  { count, days }: KeepRule,
  now: Date,
): Row[] {
  const oldest = days ? now.getTime() - days * dayMs : Number.NEGATIVE_INFINITY;
  return newestFirst.filter((row, i) => {
    const isTooMany = typeof count === 'number' && i >= count;
    return i > 0 && (isTooMany || row.createdAt.getTime() < oldest);
  });
}

async function findOverdue(em: EntityManager, now: Date): Promise<string[]> {
  const rows = await em.getConnection().execute<{ instance_id: string }[]>(
    // Only where there may be something to drop: more than are kept, or older than they are kept.
    `select distinct b.instance_id from backups b join instances i on i.id = b.instance_id
      where b.kind = 'scheduled' and b.status = 'AVAILABLE' and i.deleted_at is null
        and (i.backup_keep_days is not null or i.backup_keep_count <
          (select count(*) from backups s where s.instance_id = i.id
              and s.kind = 'scheduled' and s.status = 'AVAILABLE'))`,
    [],
    'all',
  );
  const ids: string[] = [];
  for (const { instance_id: instanceId } of rows) {
    const instance = await em.findOneOrFail(InstanceEntity, { id: instanceId });
    const rule = { count: instance.backupKeepCount, days: instance.backupKeepDays };
    const taken = await em.find(
      BackupEntity,
      { instanceId, kind: 'scheduled', status: 'AVAILABLE' },
      { orderBy: { createdAt: -1, id: -1 }, fields: ['id', 'createdAt'] },
    );
    ids.push(...overdue(taken, rule, now).map(({ id }) => id));
  }
  return ids;
}

async function findFailed(em: EntityManager, now: Date): Promise<string[]> {
  const createdAt = { $lt: new Date(now.getTime() - failedKeptDays * dayMs) };
  const where = { status: 'FAILED' as const, createdAt };
  return (await em.find(BackupEntity, where, { limit: batchMax })).map((row) => row.id);
}

async function findOrphans(em: EntityManager, now: Date): Promise<string[]> {
  const read = async (sql: string): Promise<string[]> => {
    const rows = await em.getConnection().execute<{ id: string }[]>(sql, [], 'all');
    return rows.map((row: { id: string }) => row.id);
  };
  const deleted = await read(
    `select distinct i.id as id from instances i join backups b on b.instance_id = i.id
      where i.deleted_at is not null`,
  );
  const ended = await read(
    `select distinct o.id as id from organizations o join backups b on b.organization_id = o.id
      where o.deleted_at is not null`,
  );
  const deletedAt = { $lt: new Date(now.getTime() - orphanKeptDays * dayMs) };
  const old = { id: { $in: deleted }, deletedAt };
  const stale = await em.find(InstanceEntity, old, { fields: ['id'] });
  const ofWhom = [
    { instanceId: { $in: stale.map(({ id }) => id) } },
    { organizationId: { $in: ended } },
  ];
  const status = { $in: ['AVAILABLE' as const, 'FAILED' as const] };
  const where = { status, $or: ofWhom };
  return (await em.find(BackupEntity, where, { limit: batchMax })).map((row) => row.id);
}

/** The backups that are being restored, or are wanted. */
export async function findRestored(em: EntityManager): Promise<Set<string>> {
  const rows = await em.getConnection().execute<{ id: string }[]>(
    `select restore_backup_id as id from instances
      where desired = 'present' and restore_generation > applied_generation`,
    [],
    'all',
    em.getTransactionContext(),
  );
  return new Set(rows.map((row: { id: string }) => row.id));
}
