import { minuteMs } from '../../../src/metrics/record-samples.ts';
import { dayMs, hourMs, tidyMetrics } from '../../../src/metrics/roll-up.ts';
import type { Orm } from '../../../src/store/database.ts';
import { MetricBaselineEntity } from '../../../src/store/entities/metric-baseline.ts';
import { type MetricPoint, MetricPointEntity } from '../../../src/store/entities/metric-point.ts';
import { testOnEachDatabase } from '../../support/databases.ts';
import { reading } from '../../support/metrics.ts';
import { addInstance } from '../../support/rows.ts';

const now = new Date('2024-03-15T10:30:00Z');
/** The last hour that is wholly older than a day. */
const oldHourMs = Date.parse('2024-03-14T09:00:00Z');

async function addPoint(
  orm: Orm,
  instanceId: string,
  changes: Partial<MetricPoint>,
): Promise<void> {
  const em = orm.em.fork();
  const { runId, serverTimeUs, ...counters } = reading();
  em.create(MetricPointEntity, {
    ...counters,
    instanceId,
    resolution: 'minute',
    atMs: oldHourMs,
    commands: 10,
    latency: { 2: 10 },
    ...changes,
  });
  await em.flush();
}

async function addBaseline(orm: Orm, instanceId: string): Promise<void> {
  const em = orm.em.fork();
  const { memoryUsed, clients, ...counters } = reading();
  em.create(MetricBaselineEntity, { instanceId, ...counters });
  await em.flush();
}

async function readPoints(orm: Orm, instanceId: string): Promise<MetricPoint[]> {
  return await orm.em.fork().find(MetricPointEntity, { instanceId }, { orderBy: { atMs: 1 } });
}

testOnEachDatabase('minutes become hours after a day, once, however often', async (t, orm) => {
  const { id } = await addInstance(orm, { status: 'RUNNING' });
  for (const [minute, memoryUsed] of [
    [0, 100],
    [7, 300],
    [59, 200],
  ] as const) {
    await addPoint(orm, id, { atMs: oldHourMs + minute * minuteMs, memoryUsed });
  }
  await addPoint(orm, id, { atMs: oldHourMs - hourMs });
  await addPoint(orm, id, { atMs: oldHourMs + hourMs });
  const expected = [
    { resolution: 'hour', atMs: oldHourMs - hourMs, commands: 10 },
    { resolution: 'hour', atMs: oldHourMs, commands: 30, memoryUsed: 200, latency: { 2: 30 } },
    { resolution: 'minute', atMs: oldHourMs + hourMs, commands: 10 },
  ];
  for (let times = 0; times < 2; times += 1) {
    await tidyMetrics(orm, now);
    const points = await readPoints(orm, id);
    t.is(points.length, 3);
    for (const [index, point] of expected.entries()) t.like(points[index], point);
  }
  // A minute that comes late is added to the hour that is there.
  await addPoint(orm, id, { atMs: oldHourMs + 3 * minuteMs, commands: 5, latency: { 4: 5 } });
  await tidyMetrics(orm, now);
  t.like((await readPoints(orm, id))[1], { commands: 35, latency: { 2: 30, 4: 5 } });
});

testOnEachDatabase(
  'two that roll up at once lose nothing and count nothing twice',
  async (t, orm) => {
    const instances = [await addInstance(orm), await addInstance(orm)];
    for (const { id } of instances) {
      await addBaseline(orm, id);
      for (const minute of [1, 2, 61, 62]) {
        await addPoint(orm, id, { atMs: oldHourMs - hourMs + minute * minuteMs });
      }
    }
    await Promise.all([tidyMetrics(orm, now), tidyMetrics(orm, now)]);
    for (const { id } of instances) {
      const points = await readPoints(orm, id);
      t.deepEqual(
        points.map(({ resolution, commands }) => [resolution, commands]),
        [
          ['hour', 20],
          ['hour', 20],
        ],
      );
    }
  },
);

testOnEachDatabase('hours go after 30 days', async (t, orm) => {
  const { id } = await addInstance(orm, { status: 'RUNNING' });
  const firstKeptMs = now.getTime() - 30 * dayMs;
  for (const atMs of [firstKeptMs - 2, firstKeptMs - 1, firstKeptMs]) {
    await addPoint(orm, id, { resolution: 'hour', atMs });
  }
  await tidyMetrics(orm, now);
  t.deepEqual(
    (await readPoints(orm, id)).map(({ atMs }) => atMs),
    [firstKeptMs],
  );
});

testOnEachDatabase('everything of an instance goes a day after its end', async (t, orm) => {
  const ended = (ms: number) => ({
    status: 'DELETED' as const,
    deletedAt: new Date(now.getTime() - ms),
  });
  const gone = await addInstance(orm, ended(dayMs + 1));
  const recent = await addInstance(orm, ended(dayMs - 1));
  const running = await addInstance(orm, { status: 'RUNNING' });
  for (const { id } of [gone, recent, running]) {
    await addBaseline(orm, id);
    await addPoint(orm, id, { atMs: now.getTime() });
  }
  await tidyMetrics(orm, now);
  const kept = await orm.em.fork().find(MetricBaselineEntity, {});
  t.deepEqual(kept.map(({ instanceId }) => instanceId).sort(), [recent.id, running.id].sort());
  t.deepEqual(await readPoints(orm, gone.id), []);
  t.is((await readPoints(orm, recent.id)).length, 1);
});
