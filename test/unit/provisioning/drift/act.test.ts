/** What the watch writes, on both databases. */
import type { ExecutionContext } from 'ava';
import { lostData } from '../../../../src/instances/drift.ts';
import {
  actOnDrift,
  noteOutOfMemory,
  repairsMax,
  repairWindowMs,
} from '../../../../src/provisioning/drift/act.ts';
import type { Difference } from '../../../../src/provisioning/drift/compare.ts';
import type { PatientAdoption } from '../../../../src/provisioning/operators/patient-adoption.ts';
import type { Orm } from '../../../../src/store/database.ts';
import { AuditEntryEntity } from '../../../../src/store/entities/audit-entry.ts';
import { type Instance, InstanceEntity } from '../../../../src/store/entities/instance.ts';
import { OperationEntity } from '../../../../src/store/entities/operation.ts';
import { createTestClock } from '../../../support/clock.ts';
import { testOnEachDatabase } from '../../../support/databases.ts';
import { captureLog } from '../../../support/log-lines.ts';
import { addInstance, addOperation, readInstance } from '../../../support/rows.ts';

const stopped: Difference = { kind: 'container_stopped', detail: 'It is exited.' };
const paused: Difference = { kind: 'container_paused', detail: 'It is paused.' };

async function startWorld(orm: Orm, changes: Partial<Instance> = {}) {
  const clock = createTestClock();
  const { logger } = captureLog('debug');
  let adoption: PatientAdoption = 'unchanged';
  let woken = 0;
  const asked: string[] = [];
  const instance = await addInstance(orm, { status: 'RUNNING', nodeHost: '127.0.0.1', ...changes });
  const services = {
    orm,
    clock,
    logger,
    adoptFromStack: async (id: string) => {
      asked.push(id);
      return adoption;
    },
    wakeReconciler: () => {
      woken += 1;
    },
  };
  return {
    clock,
    services,
    asked,
    woken: () => woken,
    answer: (next: PatientAdoption) => {
      adoption = next;
    },
    read: () => readInstance(orm, instance.id),
    /** As the watch: reads the row and acts on what it saw. */
    act: async (differences: readonly Difference[]) => {
      const row = await readInstance(orm, instance.id);
      await actOnDrift(services, row, differences);
      return await readInstance(orm, instance.id);
    },
    /** As the reconciler would: it is as wanted. */
    settle: async () => {
      const { generation } = await readInstance(orm, instance.id);
      const settled = { appliedGeneration: generation, status: 'RUNNING' as const, drift: [] };
      await orm.em.fork().nativeUpdate(InstanceEntity, { id: instance.id }, settled);
    },
  };
}

async function listEntries(orm: Orm): Promise<[string, string, Record<string, unknown>][]> {
  const entries = await orm.em.fork().find(AuditEntryEntity, {}, { orderBy: { createdAt: 1 } });
  return entries.map(({ action, actorKind, details }) => [action, actorKind, details]);
}

const listRepairs = async (orm: Orm) =>
  await orm.em.fork().find(OperationEntity, { kind: 'repair' });

testOnEachDatabase(
  'repair: one operation, one line, DEGRADED, and the reconciler woken',
  async (t, orm) => {
    const world = await startWorld(orm);
    const { generation } = await world.read();
    const row = await world.act([stopped]);
    t.is(row.status, 'DEGRADED');
    t.is(row.generation, generation + 1);
    t.is(row.appliedGeneration, generation);
    const since = world.clock.now().toISOString();
    t.deepEqual(row.drift, [{ ...stopped, since }]);
    const [operation, ...others] = await listRepairs(orm);
    t.deepEqual(others, []);
    t.is(operation?.generation, row.generation);
    t.deepEqual(await listEntries(orm), [
      [
        'instance.drift',
        'system',
        { found: [stopped], done: 'repair', operationId: operation?.id },
      ],
    ]);
    t.is(world.woken(), 1);
  },
);

testOnEachDatabase(
  'report: notes and one line, however often it is seen, and its end',
  async (t, orm) => {
    const world = await startWorld(orm, { driftPolicy: 'report' });
    const first = await world.act([stopped]);
    t.is(first.status, 'DEGRADED');
    t.is(first.appliedGeneration, first.generation);
    world.clock.advance(5_000);
    t.deepEqual((await world.act([stopped])).drift, first.drift);
    t.is(world.asked.length, 1);
    // Something else comes to it: what was known keeps its time.
    const second = await world.act([stopped, paused]);
    t.is(second.drift[0]?.since, first.drift[0]?.since);
    t.not(second.drift[1]?.since, first.drift[0]?.since);
    world.clock.advance(5_000);
    const last = await world.act([]);
    t.is(last.status, 'RUNNING');
    t.deepEqual(last.drift, []);
    await world.act([]);
    t.deepEqual(
      (await listEntries(orm)).map(([action, , details]) => [action, details]),
      [
        ['instance.drift', { found: [stopped], done: 'report' }],
        ['instance.drift', { found: [stopped, paused], done: 'report' }],
        ['instance.drift-end', { kinds: ['container_stopped', 'container_paused'] }],
      ],
    );
    t.deepEqual(await listRepairs(orm), []);
    t.is(world.woken(), 0);
  },
);

testOnEachDatabase("what is an operator's, or somebody works on, is no drift", async (t, orm) => {
  const world = await startWorld(orm);
  for (const adoption of ['busy', 'adopted', 'ended'] as const) {
    world.answer(adoption);
    t.is((await world.act([stopped])).status, 'RUNNING');
  }
  t.deepEqual(await listEntries(orm), []);
});

const meanwhile: Readonly<Record<string, Partial<Instance>>> = {
  'a new wish': { generation: 2 },
  'a run that came and went': { leaseEpoch: 7 },
  'a run': { leaseExpiresAtMs: 2 ** 48 },
  'a stop': { status: 'STOPPING' },
  'a delete': { desired: 'absent' },
};
for (const [what, changes] of Object.entries(meanwhile)) {
  testOnEachDatabase(`${what} since the look makes the look worthless`, async (t, orm) => {
    const world = await startWorld(orm);
    const row = await world.read();
    await orm.em.fork().nativeUpdate(InstanceEntity, { id: row.id }, changes);
    await actOnDrift(world.services, row, [stopped]);
    t.deepEqual(await listEntries(orm), []);
    t.deepEqual((await world.read()).drift, []);
    t.is(world.woken(), 0);
  });
}

testOnEachDatabase(
  'lost data is never repaired, whatever the policy and the power',
  async (t, orm) => {
    const lost: Difference[] = [lostData, { kind: 'container_missing', detail: 'gone' }];
    for (const changes of [
      { appliedPersistence: true },
      { appliedPersistence: true, status: 'STOPPED' as const, power: 'off' as const },
    ]) {
      const world = await startWorld(orm, {
        ...changes,
        region: `r${Object.keys(changes).length}`,
      });
      const row = await world.act(lost);
      t.is(row.status, 'DEGRADED');
      t.is(row.failureCode, 'data_volume_missing');
      t.is(row.appliedGeneration, row.generation);
      await world.act(lost);
      t.is(world.woken(), 0);
    }
    t.is((await listEntries(orm)).length, 2);
    t.deepEqual(await listRepairs(orm), []);
  },
);

testOnEachDatabase('a STOPPED instance stays so while it is mended', async (t, orm) => {
  const world = await startWorld(orm, { status: 'STOPPED', power: 'off' });
  const row = await world.act([{ kind: 'container_missing', detail: 'gone' }]);
  t.is(row.status, 'STOPPED');
  t.is(row.drift.length, 1);
  t.is((await listRepairs(orm)).length, 1);
});

async function repairOften(t: ExecutionContext, world: Awaited<ReturnType<typeof startWorld>>) {
  for (let count = 0; count < repairsMax; count += 1) {
    await world.act([stopped]);
    await world.settle();
    world.clock.advance(1_000);
  }
  t.is(world.woken(), repairsMax);
}

testOnEachDatabase('what does not stay mended is told, and mended again later', async (t, orm) => {
  const world = await startWorld(orm);
  await repairOften(t, world);
  const row = await world.act([stopped]);
  t.is(row.status, 'DEGRADED');
  t.is(row.failureCode, 'drift_returns');
  t.is(row.appliedGeneration, row.generation);
  await world.act([stopped]);
  t.is((await listEntries(orm)).length, repairsMax + 1);
  world.clock.advance(repairWindowMs);
  t.is((await world.act([stopped])).failureCode, null);
  t.is(world.woken(), repairsMax + 1);
});

testOnEachDatabase('a repair that was given up is begun again after a rest', async (t, orm) => {
  const drift = [{ ...stopped, since: '2030-01-01T00:00:00.000Z' }];
  const world = await startWorld(orm, {
    status: 'DEGRADED',
    drift,
    generation: 3,
    appliedGeneration: 2,
    failedGeneration: 3,
    failureCode: 'provisioning_failed',
  });
  const { id, organizationId } = await world.read();
  await addOperation(orm, { id, organizationId, generation: 3 }, { status: 'FAILED' });
  const updatedAt = world.clock.now();
  await orm.em.fork().nativeUpdate(InstanceEntity, { id }, { updatedAt });
  t.is((await world.act([stopped])).generation, 3);
  world.clock.advance(30_000);
  t.is((await world.act([stopped])).generation, 4);
  await orm.em.fork().nativeUpdate(InstanceEntity, { id }, { failedGeneration: 4 });
  // Somebody mended it by hand.
  const ended = await world.act([]);
  t.is(ended.status, 'RUNNING');
  t.is(ended.appliedGeneration, 4);
  t.is(ended.failureCode, null);
});

testOnEachDatabase('a clock that is set back makes no rest longer', async (t, orm) => {
  const drift = [{ ...stopped, since: '2030-01-01T00:00:00.000Z' }];
  const world = await startWorld(orm, {
    status: 'DEGRADED',
    drift,
    generation: 3,
    appliedGeneration: 2,
    failedGeneration: 3,
  });
  const { id } = await world.read();
  const updatedAt = new Date(world.clock.now().getTime() + 3_600_000);
  await orm.em.fork().nativeUpdate(InstanceEntity, { id }, { updatedAt });
  t.is((await world.act([stopped])).generation, 4);
});

testOnEachDatabase('an end for want of memory is in the audit log', async (t, orm) => {
  const world = await startWorld(orm);
  const { id } = await world.read();
  await noteOutOfMemory(world.services, id);
  await noteOutOfMemory(world.services, 'inst_of_nobody');
  const [[action, , details] = [], ...others] = await listEntries(orm);
  t.is(action, 'instance.drift');
  t.regex(JSON.stringify(details), /container_oom_killed/);
  t.deepEqual(others, []);
});
