import type { ExecutionContext } from 'ava';
import { containerMemoryMib } from '../../../infra/sizing.ts';
import { AppError } from '../../../src/lib/errors.ts';
import { LeaseLost } from '../../../src/provisioning/fenced-writes.ts';
import { claimNext } from '../../../src/provisioning/leases.ts';
import { recordStep } from '../../../src/provisioning/operation-record.ts';
import * as transitions from '../../../src/provisioning/transitions.ts';
import type { Orm } from '../../../src/store/database.ts';
import { DataKeyEntity, KeyBindingEntity } from '../../../src/store/entities/data-key.ts';
import { type Operation, OperationEntity } from '../../../src/store/entities/operation.ts';
import { testOnEachDatabase } from '../../support/databases.ts';
import { addDataKey, addInstance, readInstance, readOperation } from '../../support/rows.ts';
import {
  applied,
  at,
  type Begun,
  begin,
  cause,
  deleteMeanwhile,
  settings,
  takeOver,
} from './claimed-instance.ts';

const outputs = { nodeHost: '127.0.0.1', nodePort: 20_007, passwordSealed: 'v1:sealed' };

testOnEachDatabase(
  'applied: RUNNING, its operation SUCCEEDED, its lease given back',
  async (t, orm) => {
    const { services, claim, instance, operation } = await begin(orm);
    await recordStep(services, operation, 'container', 30);
    await transitions.recordOutputs(services, claim, outputs);
    await transitions.settleApplied(services, claim, instance, operation);
    t.like(await readInstance(orm, instance.id), {
      ...outputs,
      status: 'RUNNING',
      appliedGeneration: instance.generation,
      attempts: 0,
      leaseOwner: null,
      leaseExpiresAtMs: 0,
    });
    const ended = await readOperation(orm, operation.id);
    t.like(ended, { status: 'SUCCEEDED', progress: 100, errorCode: null });
    t.deepEqual(ended.finishedAt, services.clock.now());
    t.is(ended.steps.at(-1)?.finishedAt, at(0));
  },
);

testOnEachDatabase(
  'applied: what differed before is mended, so nothing is noted',
  async (t, orm) => {
    const drift = [{ kind: 'container_stopped', detail: 'it was', since: at(0) }];
    const begun = await begin(orm, {
      status: 'DEGRADED',
      drift,
      generation: 2,
      appliedGeneration: 1,
    });
    await transitions.settleApplied(begun.services, begun.claim, begun.instance, begun.operation);
    t.like(await readInstance(orm, begun.instance.id), { status: 'RUNNING' });
    t.deepEqual((await readInstance(orm, begun.instance.id)).drift, []);
  },
);

for (const status of ['STARTING', 'STOPPING', 'RESTARTING', 'DEGRADED'] as const) {
  testOnEachDatabase(
    `failed for lost data while ${status}: DEGRADED, and noted`,
    async (t, orm) => {
      const drift = [{ kind: 'container_missing', detail: 'gone', since: at(0) }];
      const { services, claim, instance, operation } = await begin(orm, {
        status,
        drift,
        generation: 2,
        appliedGeneration: 1,
      });
      const lost = { ...cause, code: 'data_volume_missing' } as const;
      await transitions.settleFailed(services, claim, instance, operation, lost);
      const row = await readInstance(orm, instance.id);
      t.like(row, { status: 'DEGRADED', failureCode: 'data_volume_missing' });
      t.deepEqual(
        row.drift.map(({ kind }) => kind),
        ['data_volume_missing', 'container_missing'],
      );
      t.is((await readOperation(orm, operation.id)).errorCode, 'data_volume_missing');
    },
  );
}

testOnEachDatabase(
  'what was applied is recorded, also when something newer is wanted',
  async (t, orm) => {
    const wish = { status: 'RUNNING', generation: 2, appliedGeneration: 1 } as const;
    const begun = await begin(orm, { ...wish, ...settings });
    const { services, claim, instance, operation } = begun;
    await deleteMeanwhile(begun);
    await transitions.settleApplied(services, claim, instance, operation);
    t.like(await readInstance(orm, instance.id), { ...applied, status: 'DELETING' });
  },
);

testOnEachDatabase(
  'what is applied with its power off is STOPPED, and its host keeps what it may use again',
  async (t, orm) => {
    const begun = await begin(orm, { status: 'STOPPING', power: 'off', reservedMib: 9_999 });
    const { services, claim, instance, operation } = begun;
    await transitions.settleApplied(services, claim, instance, operation);
    const reservedMib = containerMemoryMib(instance.maxMemoryBytes, instance.persistence);
    t.like(await readInstance(orm, instance.id), { status: 'STOPPED', reservedMib });
  },
);

testOnEachDatabase(
  'postponed: free for another try after the wait, its operation open',
  async (t, orm) => {
    const { services, claim, instance, operation } = await begin(orm);
    await transitions.postpone(services, claim, 1_000.4);
    const owner = 'other';
    t.is(await claimNext({ ...services, owner }), undefined);
    services.clock.advance(1_001);
    t.is((await claimNext({ ...services, owner }))?.attempts, 2);
    t.like(await readInstance(orm, instance.id), { status: 'PROVISIONING' });
    t.is((await readOperation(orm, operation.id)).status, 'RUNNING');
  },
);

testOnEachDatabase(
  'handed back: free at once and not counted, but never as if nothing had begun',
  async (t, orm) => {
    const { services, claim, instance, operation } = await begin(orm);
    await transitions.handBack(services, claim, instance);
    const second = await claimNext({ ...services, owner: 'other' });
    t.is(second?.attempts, 2);
    await transitions.handBack(services, second ?? claim, instance);
    t.is((await claimNext({ ...services, owner: 'other' }))?.attempts, 2);
    t.is((await readOperation(orm, operation.id)).status, 'RUNNING');
  },
);

testOnEachDatabase('handed back: a newer wish has its own tries', async (t, orm) => {
  const begun = await begin(orm);
  await deleteMeanwhile(begun);
  await transitions.handBack(begun.services, begun.claim, begun.instance);
  t.like(await readInstance(orm, begun.instance.id), { attempts: 0, leaseOwner: null });
});

testOnEachDatabase('a claim that was given back writes nothing more', async (t, orm) => {
  const begun = await begin(orm);
  await transitions.postpone(begun.services, begun.claim, 1_000);
  for (const outcome of ['applied', 'failed', 'outputs', 'postponed'] as const) {
    await unchanged(t, orm, begun, async () => {
      await t.throwsAsync(settle(outcome, begun), { instanceOf: LeaseLost });
    });
  }
});

testOnEachDatabase('destroyed: no port, host, password or binding is left', async (t, orm) => {
  const begun = await begin(orm, { ...outputs, desired: 'absent', status: 'DELETING' });
  const { services, claim, instance, operation } = begun;
  const other = await addInstance(orm, { organizationId: instance.organizationId });
  const { organizationId } = instance;
  const madeForIt = { madeForInstanceId: instance.id };
  const own = await addDataKey(orm, organizationId, madeForIt, [instance.id]);
  const shared = await addDataKey(orm, organizationId, madeForIt, [instance.id, other.id]);
  const madeAlone = await addDataKey(orm, organizationId, {}, [instance.id]);
  await transitions.settleDestroyed(services, claim, instance, operation);

  t.like(await readInstance(orm, instance.id), {
    status: 'DELETED',
    nodeHost: null,
    nodePort: null,
    passwordSealed: null,
    leaseOwner: null,
  });
  t.is((await readOperation(orm, operation.id)).status, 'SUCCEEDED');
  const em = orm.em.fork();
  t.is(await em.count(KeyBindingEntity, { instanceId: instance.id }), 0);
  t.is(await em.count(DataKeyEntity, { id: own.id }), 0);
  t.is(await em.count(DataKeyEntity, { id: shared.id }), 1);
  t.is(await em.count(DataKeyEntity, { id: madeAlone.id }), 1);
  t.is(await em.count(KeyBindingEntity, { instanceId: other.id, keyId: shared.id }), 1);
});

for (const outcome of ['applied', 'failed'] as const) {
  testOnEachDatabase(
    `a delete that came in during a run that ${outcome} is kept`,
    async (t, orm) => {
      const begun = await begin(orm);
      const deletion = await deleteMeanwhile(begun);
      await settle(outcome, begun);
      const row = await readInstance(orm, begun.instance.id);
      t.like(row, { desired: 'absent', status: 'DELETING', generation: 2, failureCode: null });
      t.is(row.leaseExpiresAtMs, 0);
      t.is((await readOperation(orm, deletion.id)).status, 'QUEUED');
      t.is((await readOperation(orm, begun.operation.id)).status, 'SUPERSEDED');
      const next = await claimNext({ ...begun.services, owner: 'me' });
      t.is(next?.instanceId, begun.instance.id);
    },
  );
}

async function settle(
  outcome: 'applied' | 'failed' | 'destroyed' | 'postponed' | 'outputs',
  { services, claim, instance, operation }: Begun,
): Promise<void> {
  if (outcome === 'outputs') await transitions.recordOutputs(services, claim, outputs);
  if (outcome === 'postponed') await transitions.postpone(services, claim, 1_000);
  if (outcome === 'applied') {
    await transitions.settleApplied(services, claim, instance, operation);
  }
  if (outcome === 'destroyed') {
    await transitions.settleDestroyed(services, claim, instance, operation);
  }
  if (outcome === 'failed') {
    await transitions.settleFailed(services, claim, instance, operation, cause);
  }
}

for (const outcome of ['applied', 'failed', 'destroyed', 'postponed', 'outputs'] as const) {
  testOnEachDatabase(`who lost the lease writes nothing: ${outcome}`, async (t, orm) => {
    const begun = await begin(orm);
    await addDataKey(orm, begun.instance.organizationId, {}, [begun.instance.id]);
    await takeOver(begun);
    await unchanged(t, orm, begun, async () => {
      await t.throwsAsync(settle(outcome, begun), { instanceOf: LeaseLost });
    });
  });
}

async function unchanged(
  t: ExecutionContext,
  orm: Orm,
  { instance, operation }: Begun,
  work: () => Promise<void>,
): Promise<void> {
  const read = async () => {
    const em = orm.em.fork();
    const bindings = await em.count(KeyBindingEntity, { instanceId: instance.id });
    const rows = [await readInstance(orm, instance.id), await readOperation(orm, operation.id)];
    return JSON.stringify([...rows, bindings]);
  };
  const before = await read();
  await work();
  t.is(await read(), before);
}

for (const outcome of ['applied', 'failed', 'destroyed'] as const) {
  testOnEachDatabase(
    `${outcome}: instance and operation change together or not at all`,
    async (t, orm) => {
      const begun = await begin(orm);
      const broken = { ...begun.operation, steps: undefined as unknown as [] };
      await unchanged(t, orm, begun, async () => {
        await t.throwsAsync(settle(outcome, { ...begun, operation: broken as Operation }), {
          instanceOf: TypeError,
        });
      });
    },
  );
}

testOnEachDatabase(
  'deleting twice gives the same operation, and there is only one',
  async (t, orm) => {
    const begun = await begin(orm);
    const first = await deleteMeanwhile(begun);
    const second = await deleteMeanwhile(begun);
    t.is(second.id, first.id);
    const where = { instanceId: begun.instance.id, kind: 'delete' } as const;
    t.is(await orm.em.fork().count(OperationEntity, where), 1);
  },
);

testOnEachDatabase('a deleted instance is not there to be deleted again', async (t, orm) => {
  const begun = await begin(orm, { desired: 'absent', status: 'DELETING' });
  await settle('destroyed', begun);
  await t.throwsAsync(deleteMeanwhile(begun), { instanceOf: AppError, code: 'not_found' });
});
