/**
 * Writes what looks found: the gain of each instance to the row of the minute, and its new baseline, in
 * one transaction. So a look is recorded once or not at all, and what was not is in the next one's gain.
 *
 * Whoever writes an instance's points first locks its baseline, in the order of ids: two services that
 * look at the same instances wait for each other and neither counts what the other has counted.
 */
import { LockMode } from '@mikro-orm/core';
import type { EntityManager, Orm } from '../store/database.ts';
import { type MetricBaseline, MetricBaselineEntity } from '../store/entities/metric-baseline.ts';
import { type MetricPoint, MetricPointEntity } from '../store/entities/metric-point.ts';
import { addGains, baselineAfter, type Gain, measureGain, zero } from './measure-gain.ts';
import type { Sample } from './parse-sample.ts';

export const minuteMs = 60_000;

/** Records samples by instance id as of `now`. @throws what the database throws; then nothing was written. */
export async function recordSamples(
  orm: Orm,
  samples: ReadonlyMap<string, Sample>,
  now: Date,
): Promise<void> {
  const atMs = Math.floor(now.getTime() / minuteMs) * minuteMs;
  const em = orm.em.fork() as EntityManager;
  await em.transactional(async (tx) => {
    const ids = [...samples.keys()];
    const baselines = await lockBaselines(tx, ids);
    const points = await tx.find(MetricPointEntity, {
      instanceId: { $in: ids },
      resolution: 'minute',
      atMs,
    });
    const pointOf = new Map(points.map((point) => [point.instanceId, point]));
    for (const [id, sample] of samples) {
      const baseline = baselines.get(id);
      const gain = measureGain(baseline, sample);
      if (!gain) continue;
      writeBaseline(tx, id, baseline, sample);
      writeMinute(tx, { id, atMs, point: pointOf.get(id), gain, sample });
    }
  });
}

/** Locks the baselines of instances and gives them by id; an instance that was never seen has none. */
export async function lockBaselines(
  tx: EntityManager,
  ids: readonly string[],
): Promise<Map<string, MetricBaseline>> {
  const rows = await tx.find(
    MetricBaselineEntity,
    { instanceId: { $in: [...ids] } },
    { lockMode: LockMode.PESSIMISTIC_WRITE, orderBy: { instanceId: 1 } },
  );
  return new Map(rows.map((row) => [row.instanceId, row]));
}

function writeBaseline(
  tx: EntityManager,
  instanceId: string,
  baseline: MetricBaseline | undefined,
  sample: Sample,
): void {
  const next = baselineAfter(sample);
  // Two that see a new instance first do not both write: the second fails here and looks again.
  if (baseline) tx.assign(baseline, next, { merge: false });
  else tx.create(MetricBaselineEntity, { instanceId, ...next });
}

interface Minute {
  readonly id: string;
  readonly atMs: number;
  readonly point: MetricPoint | undefined;
  readonly gain: Gain;
  readonly sample: Sample;
}

function writeMinute(tx: EntityManager, { id, atMs, point, gain, sample }: Minute): void {
  const { memoryUsed, clients } = sample.reading;
  const values = { ...addGains(point ?? zero, gain), memoryUsed, clients };
  if (point) tx.assign(point, values, { merge: false });
  else tx.create(MetricPointEntity, { instanceId: id, resolution: 'minute', atMs, ...values });
}
