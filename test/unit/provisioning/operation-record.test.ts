import { beginOperation, recordStep } from '../../../src/provisioning/operation-record.ts';
import type { Orm } from '../../../src/store/database.ts';
import { OperationEntity } from '../../../src/store/entities/operation.ts';
import { createTestClock } from '../../support/clock.ts';
import { testOnEachDatabase } from '../../support/databases.ts';
import { addInstance, addOperation, readOperation } from '../../support/rows.ts';
import { at, begin } from './claimed-instance.ts';

testOnEachDatabase(
  'an operation that is begun is RUNNING, and keeps its first begin',
  async (t, orm) => {
    const { services, instance, operation } = await begin(orm);
    const first = await readOperation(orm, operation.id);
    t.is(first.status, 'RUNNING');
    t.deepEqual(first.startedAt, services.clock.now());
    services.clock.advance(1_000);
    await beginOperation(services, instance);
    t.deepEqual((await readOperation(orm, operation.id)).startedAt, first.startedAt);
  },
);

testOnEachDatabase('a repair that nobody asked for has no operation', async (t, orm) => {
  const instance = await addInstance(orm);
  await addOperation(orm, instance, { status: 'SUCCEEDED' });
  const services = { orm, clock: createTestClock() };
  t.is(await beginOperation(services, instance), undefined);
});

testOnEachDatabase('each step ends the one before, and progress never falls', async (t, orm) => {
  const { services, operation } = await begin(orm);
  for (const [name, progress] of [
    ['prepare', 5],
    ['container', 30],
    ['again', 10],
  ] as const) {
    await recordStep(services, operation, name, progress);
    services.clock.advance(1_000);
  }
  const { steps, progress } = await readOperation(orm, operation.id);
  t.is(progress, 30);
  t.deepEqual(steps, [
    { name: 'prepare', startedAt: at(0), finishedAt: at(1) },
    { name: 'container', startedAt: at(1), finishedAt: at(2) },
    { name: 'again', startedAt: at(2), finishedAt: null },
  ]);
});

testOnEachDatabase('of an endless delete only the last steps are kept', async (t, orm) => {
  const { services, operation } = await begin(orm, { desired: 'absent', status: 'DELETING' });
  for (let step = 1; step <= 100; step += 1) {
    await recordStep(services, operation, `step-${step}`, 20);
  }
  const { steps } = await readOperation(orm, operation.id);
  t.is(steps.length, 60);
  t.is(steps.at(-1)?.name, 'step-100');
});

testOnEachDatabase('an operation that was superseded is never begun again', async (t, orm) => {
  const row = await addInstance(orm);
  const { id } = await addOperation(orm, row);
  const superseding = orm.em.fork();
  const fork = orm.em.fork.bind(orm.em);
  // Between the look and the write, a newer wish ends it.
  const looking = Object.assign(fork(), {});
  const findOne = looking.findOne.bind(looking);
  looking.findOne = (async (...args: Parameters<typeof findOne>) => {
    const found = await findOne(...args);
    await superseding.nativeUpdate(OperationEntity, { id }, { status: 'SUPERSEDED' });
    return found;
  }) as typeof looking.findOne;
  const racing = { em: { fork: () => looking } } as unknown as Orm;
  t.is(await beginOperation({ orm: racing, clock: createTestClock() }, row), undefined);
  t.is((await readOperation(orm, id)).status, 'SUPERSEDED');
});
