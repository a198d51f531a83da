import { recordSamples } from '../../../src/metrics/record-samples.ts';
import type { Orm } from '../../../src/store/database.ts';
import { MetricBaselineEntity } from '../../../src/store/entities/metric-baseline.ts';
import { type MetricPoint, MetricPointEntity } from '../../../src/store/entities/metric-point.ts';
import { testOnEachDatabase, testOnPostgres } from '../../support/databases.ts';
import { sample } from '../../support/metrics.ts';
import { addInstance } from '../../support/rows.ts';

const firstUs = 1_700_000_000_000_000;
const minute = new Date('2024-01-15T10:30:00Z');
const at = (seconds: number): Date => new Date(minute.getTime() + seconds * 1_000);

async function readPoints(orm: Orm, instanceId: string): Promise<MetricPoint[]> {
  return await orm.em.fork().find(MetricPointEntity, { instanceId }, { orderBy: { atMs: 1 } });
}

testOnEachDatabase(
  'looks within a minute add up in its row, the next has its own',
  async (t, orm) => {
    const { id } = await addInstance(orm, { status: 'RUNNING' });
    const other = await addInstance(orm, { status: 'RUNNING' });
    const looks = [
      { seconds: 3, commands: 10, memoryUsed: 1_000, latency: { 1: 10 } },
      { seconds: 18, commands: 25, memoryUsed: 9_000, latency: { 1: 20, 8: 5 } },
      { seconds: 61, commands: 26, memoryUsed: 5_000_000_000, latency: { 1: 21, 8: 5 } },
    ];
    for (const { seconds, ...changes } of looks) {
      const serverTimeUs = firstUs + seconds * 1_000_000;
      const look = sample({ serverTimeUs, ...changes });
      await recordSamples(
        orm,
        new Map([
          [id, look],
          [other.id, look],
        ]),
        at(seconds),
      );
    }
    for (const instanceId of [id, other.id]) {
      const points = await readPoints(orm, instanceId);
      t.like(points[0], {
        resolution: 'minute',
        atMs: minute.getTime(),
        commands: 25,
        memoryUsed: 9_000,
        latency: { 1: 20, 8: 5 },
      });
      t.like(points[1], { commands: 1, memoryUsed: 5_000_000_000, latency: { 1: 1 } });
      t.is(points.length, 2);
    }
  },
);

testOnEachDatabase('a look that comes too late changes nothing', async (t, orm) => {
  const { id } = await addInstance(orm, { status: 'RUNNING' });
  const late = sample({ serverTimeUs: firstUs, commands: 5, memoryUsed: 1 });
  const early = sample({ serverTimeUs: firstUs + 1, commands: 6, memoryUsed: 2 });
  for (const look of [early, late, early]) await recordSamples(orm, new Map([[id, look]]), minute);
  t.like((await readPoints(orm, id))[0], { commands: 6, memoryUsed: 2 });
});

testOnEachDatabase('an instance from before metrics begins with its first look', async (t, orm) => {
  const { id } = await addInstance(orm, { status: 'RUNNING' });
  const em = orm.em.fork();
  const none = { commands: 0, bytesIn: 0, bytesOut: 0, hits: 0, misses: 0, evicted: 0, expired: 0 };
  em.create(MetricBaselineEntity, { instanceId: id, serverTimeUs: 0, latency: {}, ...none });
  await em.flush();
  for (const [index, commands] of [1_000_000, 1_000_007].entries()) {
    const look = sample({ serverTimeUs: firstUs + index, commands });
    await recordSamples(orm, new Map([[id, look]]), minute);
  }
  t.is((await readPoints(orm, id))[0]?.commands, 7);
});

testOnPostgres(
  'two services that look at the same instances count each thing once',
  async (t, orm) => {
    const instances = [await addInstance(orm), await addInstance(orm), await addInstance(orm)];
    const ids = instances.map(({ id }) => id);
    const begin = new Map(ids.map((id) => [id, sample()]));
    await recordSamples(orm, begin, minute);
    let clockUs = firstUs;
    let commands = 0;
    const serve = async (order: readonly string[]): Promise<void> => {
      for (let round = 0; round < 20; round += 1) {
        clockUs += 1;
        commands += 3;
        const look = sample({ serverTimeUs: clockUs, commands });
        await recordSamples(orm, new Map(order.map((id) => [id, look])), minute);
      }
    };
    await Promise.all([serve(ids), serve(ids.toReversed())]);
    clockUs += 1;
    const last = sample({ serverTimeUs: clockUs, commands });
    await recordSamples(orm, new Map(ids.map((id) => [id, last])), minute);
    for (const id of ids) t.is((await readPoints(orm, id))[0]?.commands, 120);
  },
);
