import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { createLooks, type InstanceReader } from '../../../src/metrics/looks.ts';
import type { Sample } from '../../../src/metrics/parse-sample.ts';
import { createSampler, type Sampler } from '../../../src/metrics/sampler.ts';
import type { EntityManager, Orm } from '../../../src/store/database.ts';
import type { Instance } from '../../../src/store/entities/instance.ts';
import { type MetricPoint, MetricPointEntity } from '../../../src/store/entities/metric-point.ts';
import { createTestClock } from '../../support/clock.ts';
import { openTestDatabase } from '../../support/databases.ts';
import { captureLog } from '../../support/log-lines.ts';
import { sample } from '../../support/metrics.ts';
import { addInstance } from '../../support/rows.ts';

interface Stage {
  readonly orm: Orm;
  readonly sampler: Sampler;
  readonly services: Parameters<typeof createLooks>[0];
  readonly instance: Instance;
  /** The ids that were read, and those whose connections were given up, in order. */
  readonly reads: string[];
  readonly dropped: string[];
  point(): Promise<MetricPoint | null>;
}

async function setStage(
  t: ExecutionContext,
  read: (id: string, times: number) => Promise<Sample>,
): Promise<Stage> {
  const orm = await openTestDatabase(t);
  const instance = await addInstance(orm, {
    status: 'RUNNING',
    nodeHost: '127.0.0.1',
    nodePort: 1,
    passwordSealed: 'sealed',
  });
  const reads: string[] = [];
  const dropped: string[] = [];
  const reader: InstanceReader = {
    read({ id }) {
      reads.push(id);
      return read(id, reads.length);
    },
    drop: (id) => dropped.push(id),
    retain() {},
    close() {},
  };
  const { logger } = captureLog('debug');
  const services = { orm, clock: createTestClock(), logger, reader };
  const sampler = createSampler(services);
  t.teardown(() => sampler.stop());
  const point = async (): Promise<MetricPoint | null> =>
    await orm.em.fork().findOne(MetricPointEntity, { instanceId: instance.id });
  return { orm, sampler, services, instance, reads, dropped, point };
}

const looking = (_id: string, times: number): Promise<Sample> =>
  Promise.resolve(sample({ serverTimeUs: 1_700_000_000_000_000 + times, commands: 10 * times }));

test('requests at the same time share one look, and a second has one at most', async (t) => {
  const { sampler, instance, reads, point } = await setStage(t, looking);
  await Promise.all(Array.from({ length: 50 }, () => sampler.refresh(instance)));
  await sampler.refresh(instance);
  t.is(reads.length, 1);
  t.is((await point())?.commands, 10);
  await sleep(1_050);
  await sampler.refresh(instance);
  t.is(reads.length, 2);
  t.is((await point())?.commands, 20);
});

test('an instance that does not answer holds a request for a second at most', async (t) => {
  const stuck = Promise.withResolvers<Sample>();
  const { sampler, instance, reads } = await setStage(t, () => stuck.promise);
  const startedMs = performance.now();
  await Promise.all([sampler.refresh(instance), sampler.refresh(instance)]);
  const tookMs = performance.now() - startedMs;
  t.true(tookMs > 900 && tookMs < 10_000, `${tookMs} ms`);
  t.is(reads.length, 1);
  stuck.reject(new Error('gone'));
});

test('an instance that cannot be read costs its neighbours nothing', async (t) => {
  const { orm, services, instance, point } = await setStage(t, (id, times) =>
    id === instance.id ? looking(id, times) : Promise.reject(new Error('refused')),
  );
  const { organizationId } = instance;
  const others = [1, 2, 3].map(() => addInstance(orm, { organizationId, status: 'RUNNING' }));
  await createLooks(services).lookAt([...(await Promise.all(others)), instance]);
  t.truthy(await point());
});

test('one that gave nothing the last time is not waited for with others', async (t) => {
  const stuck = Promise.withResolvers<Sample>();
  let tries = 0;
  const { orm, services, instance, point } = await setStage(t, (id, times) => {
    if (id === instance.id) return looking(id, times);
    tries += 1;
    return tries === 1 ? Promise.reject(new Error('refused')) : stuck.promise;
  });
  const silent = await addInstance(orm, { organizationId: instance.organizationId });
  const looks = createLooks(services);
  await looks.lookAt([silent]);
  const sweep = looks.lookAt([silent, instance]);
  for (let left = 50; left > 0 && !(await point()); left -= 1) await sleep(20);
  t.is((await point())?.commands, 20);
  stuck.reject(new Error('gone'));
  await sweep;
});

test("a look that could not be recorded gives its connection up, so its bytes are nobody's", async (t) => {
  const { orm, sampler, instance, dropped } = await setStage(t, looking);
  await (orm.em.fork() as EntityManager).getConnection().execute('drop table metric_points');
  await sampler.refresh(instance);
  t.deepEqual(dropped, [instance.id]);
});

test('the sweep looks at running instances only and ends when it is told to', async (t) => {
  const { orm, sampler, instance, reads } = await setStage(t, looking);
  const { organizationId } = instance;
  for (const status of ['STOPPED', 'FAILED', 'DELETED', 'PROVISIONING'] as const) {
    await addInstance(orm, { organizationId, status, passwordSealed: 'sealed' });
  }
  sampler.start();
  for (let left = 200; left > 0 && reads.length === 0; left -= 1) await sleep(100);
  const startedMs = performance.now();
  await sampler.stop();
  // The next sweep would begin 15 s after the first.
  t.true(performance.now() - startedMs < 8_000);
  t.deepEqual(reads, [instance.id]);
});
