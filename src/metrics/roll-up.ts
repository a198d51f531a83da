/**
 * Keeps the metrics small: minutes become hours after a day, hours go after 30 days, and everything of an
 * instance goes a day after its end. Each piece is one transaction that takes away exactly what it added
 * elsewhere, so a piece can break off or be tried by two services, and nothing is counted twice.
 */
import { raw } from '@mikro-orm/core';
import type { EntityManager, Orm } from '../store/database.ts';
import { InstanceEntity } from '../store/entities/instance.ts';
import { MetricBaselineEntity } from '../store/entities/metric-baseline.ts';
import { MetricPointEntity } from '../store/entities/metric-point.ts';
import { mergePoints } from './merge-points.ts';
import { lockBaselines } from './record-samples.ts';

export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;
/** How long minutes are kept; an hour is rolled up once its last minute is older. */
export const minutesKeptMs = 24 * hourMs;
const hoursKeptMs = 30 * dayMs;
const deletedKeptMs = dayMs;
/** The most that one call does; the rest waits for the next. */
const instanceHoursMax = 500;
const oldHoursMax = 48;
const deletedInstancesMax = 20;

/** Does a bounded part of what is due as of `now`; stops early when the signal says so. */
export async function tidyMetrics(orm: Orm, now: Date, signal?: AbortSignal): Promise<void> {
  const nowMs = now.getTime();
  await rollUpMinutes(orm, Math.floor((nowMs - minutesKeptMs) / hourMs) * hourMs, signal);
  await removeOldHours(orm, nowMs - hoursKeptMs, signal);
  await removeOfDeleted(orm, new Date(nowMs - deletedKeptMs));
}

interface InstanceHour {
  readonly instanceId: string;
  readonly atMs: number;
}

async function rollUpMinutes(orm: Orm, untilMs: number, signal?: AbortSignal): Promise<void> {
  let left = instanceHoursMax;
  while (left > 0 && !signal?.aborted) {
    const hours = await findFirstHours(orm, untilMs, left);
    if (hours.length === 0) return;
    left -= hours.length;
    for (const hour of hours) {
      if (signal?.aborted) return;
      await rollUpHour(orm, hour);
    }
  }
}

/** The first hour with minutes before `untilMs`, of each instance that has one. */
async function findFirstHours(orm: Orm, untilMs: number, limit: number): Promise<InstanceHour[]> {
  const rows: { instance_id: string; first_ms: number | string }[] = await (
    orm.em.fork() as EntityManager
  )
    .getConnection()
    .execute(
      `select instance_id, min(at_ms) as first_ms from metric_points
        where resolution = 'minute' and at_ms < ? group by instance_id limit ?`,
      [untilMs, limit],
    );
  return rows.map((row) => {
    const atMs = Math.floor(Number(row.first_ms) / hourMs) * hourMs;
    return { instanceId: row.instance_id, atMs };
  });
}

async function rollUpHour(orm: Orm, { instanceId, atMs }: InstanceHour): Promise<void> {
  const em = orm.em.fork() as EntityManager;
  await em.transactional(async (tx) => {
    await lockBaselines(tx, [instanceId]);
    const within = {
      instanceId,
      resolution: 'minute' as const,
      atMs: { $gte: atMs, $lt: atMs + hourMs },
    };
    const minutes = await tx.find(MetricPointEntity, within, { orderBy: { atMs: 1 } });
    const hour = await tx.findOne(MetricPointEntity, { instanceId, resolution: 'hour', atMs });
    // An hour that is there already was made of earlier minutes.
    const merged = mergePoints(hour ? [hour, ...minutes] : minutes);
    if (!merged || minutes.length === 0) return;
    if (hour) tx.assign(hour, merged, { merge: false });
    else tx.create(MetricPointEntity, { instanceId, resolution: 'hour', atMs, ...merged });
    await tx.nativeDelete(MetricPointEntity, within);
  });
}

/** Goes hour by hour, so that one statement removes at most one row an instance. */
async function removeOldHours(orm: Orm, beforeMs: number, signal?: AbortSignal): Promise<void> {
  for (let left = oldHoursMax; left > 0 && !signal?.aborted; left -= 1) {
    const em = orm.em.fork();
    const [oldest] = await em.find(
      MetricPointEntity,
      { resolution: 'hour', atMs: { $lt: beforeMs } },
      { orderBy: { atMs: 1 }, limit: 1, disableIdentityMap: true },
    );
    if (!oldest) return;
    await em.nativeDelete(MetricPointEntity, { resolution: 'hour', atMs: oldest.atMs });
  }
}

async function removeOfDeleted(orm: Orm, before: Date): Promise<void> {
  const hasBaseline = raw(
    (alias) => `exists (select 1 from metric_baselines where instance_id = ${alias}.id)`,
  );
  const deleted = await orm.em
    .fork()
    .find(
      InstanceEntity,
      { status: 'DELETED', deletedAt: { $lt: before }, [hasBaseline]: [] },
      { fields: ['id'], limit: deletedInstancesMax },
    );
  for (const { id: instanceId } of deleted) {
    const em = orm.em.fork() as EntityManager;
    await em.transactional(async (tx) => {
      await tx.nativeDelete(MetricPointEntity, { instanceId });
      await tx.nativeDelete(MetricBaselineEntity, { instanceId });
    });
  }
}
