/** Reading an instance's metrics. */

import type { Caller } from '../accounts/caller.ts';
import { findOwnInstance } from '../instances/ownership.ts';
import { servesData } from '../instances/states.ts';
import type { Clock } from '../lib/clock.ts';
import { AppError } from '../lib/errors.ts';
import type { EntityManager, Orm } from '../store/database.ts';
import { type MetricPoint, MetricPointEntity } from '../store/entities/metric-point.ts';
import type { MetricsRefresher } from './looks.ts';
import { zero } from './measure-gain.ts';
import { mergePoints, type Span } from './merge-points.ts';
import { minuteMs } from './record-samples.ts';
import { dayMs, hourMs, minutesKeptMs } from './roll-up.ts';

const pointsMax = 1_500;

/** What was asked for; the defaults are the last 24 hours by minutes. */
export interface MetricsRequest {
  readonly from: Date | undefined;
  readonly to: Date | undefined;
  /** A multiple of a minute. */
  readonly stepMs: number;
}

/** A span with its beginning. Memory and clients are null where nobody has looked yet. */
export interface MeasuredSpan extends Omit<Span, 'memoryUsed' | 'clients'> {
  readonly atMs: number;
  readonly memoryUsed: number | null;
  readonly clients: number | null;
}

export interface MetricsAnswer {
  /** Oldest first; spans without a look are left out. */
  readonly points: MeasuredSpan[];
  /** The latest minute of the last day with a look in it; all zero where there is none. */
  readonly current: MeasuredSpan;
}

export interface MetricsServices {
  readonly orm: Orm;
  readonly clock: Clock;
  readonly metrics: MetricsRefresher;
}

/**
 * Reads an instance's metrics, after a fresh look at it if it runs.
 * @throws {AppError} `not_found`; `invalid_request` for a range that ends before it begins or has too
 * many points.
 */
export async function readMetrics(
  { orm, clock, metrics }: MetricsServices,
  caller: Caller,
  instanceId: string,
  request: MetricsRequest,
): Promise<MetricsAnswer> {
  const em = orm.em.fork() as EntityManager;
  const instance = await findOwnInstance(em, caller, instanceId, 'viewer');
  const range = resolveRange(request, clock.now().getTime());
  if (servesData(instance.status)) await metrics.refresh(instance);
  const nowMs = clock.now().getTime();
  const rows = await findRows(em, instanceId, request.to ? range : { ...range, toMs: nowMs + 1 });
  return {
    points: toSpans(rows, request.stepMs),
    current: await findCurrent(em, instanceId, nowMs),
  };
}

interface Range {
  readonly fromMs: number;
  readonly toMs: number;
}

function resolveRange({ from, to, stepMs }: MetricsRequest, nowMs: number): Range {
  const toMs = to?.getTime() ?? nowMs;
  const askedMs = from?.getTime() ?? toMs - dayMs;
  if (askedMs >= toMs) throw invalid('from', 'must be before "to"');
  if (toMs - askedMs > pointsMax * stepMs) {
    const least = Math.ceil((toMs - askedMs) / pointsMax / minuteMs) * (minuteMs / 1_000);
    const detail = `gives more than ${pointsMax} points; for this range it must be at least ${least}`;
    throw invalid('step', detail);
  }
  return { fromMs: Math.floor(askedMs / stepMs) * stepMs, toMs };
}

function invalid(pointer: string, detail: string): AppError {
  return new AppError('invalid_request', `Not valid: ${pointer}.`, {
    fields: [{ pointer, detail }],
  });
}

/** Minutes that were not rolled up yet are no hours yet, so every row counts once. */
async function findRows(
  em: EntityManager,
  instanceId: string,
  { fromMs, toMs }: Range,
): Promise<MetricPoint[]> {
  const firstHourMs = Math.floor(fromMs / hourMs) * hourMs;
  return await em.find(
    MetricPointEntity,
    {
      instanceId,
      $or: [
        { resolution: 'hour', atMs: { $gte: firstHourMs, $lt: toMs } },
        { resolution: 'minute', atMs: { $gte: fromMs, $lt: toMs } },
      ],
    },
    { orderBy: { atMs: 1 }, disableIdentityMap: true },
  );
}

/** Rows in the order of their times, as one span a step. */
function toSpans(rows: readonly MetricPoint[], stepMs: number): MeasuredSpan[] {
  const byStep = Map.groupBy(rows, ({ atMs }) => Math.floor(atMs / stepMs) * stepMs);
  return [...byStep].flatMap(([atMs, points]) => {
    const merged = mergePoints(points);
    return merged ? [{ atMs, ...merged }] : [];
  });
}

async function findCurrent(
  em: EntityManager,
  instanceId: string,
  nowMs: number,
): Promise<MeasuredSpan> {
  const [latest] = await em.find(
    MetricPointEntity,
    { instanceId, resolution: 'minute', atMs: { $gte: nowMs - minutesKeptMs } },
    { orderBy: { atMs: -1 }, limit: 1, disableIdentityMap: true },
  );
  const atMs = Math.floor(nowMs / minuteMs) * minuteMs;
  return latest ?? { atMs, ...zero, memoryUsed: null, clients: null };
}
