import { listSettled } from '../../../src/provisioning/drift/judged-rows.ts';
import { claimNext } from '../../../src/provisioning/leases.ts';
import * as transitions from '../../../src/provisioning/transitions.ts';
import type { Orm } from '../../../src/store/database.ts';
import type { Instance } from '../../../src/store/entities/instance.ts';
import type { OperationKind } from '../../../src/store/entities/operation.ts';
import { testOnEachDatabase } from '../../support/databases.ts';
import { readInstance, readOperation } from '../../support/rows.ts';
import { applied, type Begun, begin, cause, settings } from './claimed-instance.ts';

/** A wish for less memory than the settings that were last made real. */
function beginSmaller(orm: Orm, wish: Partial<Instance>, kind: OperationKind): Promise<Begun> {
  return begin(orm, { ...wish, ...settings, ...applied, maxMemoryBytes: 64 }, kind);
}

testOnEachDatabase('failed: FAILED with the reason, its operation too', async (t, orm) => {
  const { services, claim, instance, operation } = await begin(orm);
  await transitions.settleFailed(services, claim, instance, operation, cause);
  t.like(await readInstance(orm, instance.id), {
    status: 'FAILED',
    failureCode: 'port_in_use',
    failureMessage: 'taken',
    leaseOwner: null,
    nodePort: 20_000,
  });
  t.like(await readOperation(orm, operation.id), {
    status: 'FAILED',
    errorCode: 'port_in_use',
    errorMessage: 'taken',
  });
});

testOnEachDatabase(
  'an update that is given up leaves the instance RUNNING, with the reason, and is not begun again',
  async (t, orm) => {
    const begun = await begin(orm, { status: 'RUNNING', generation: 2, appliedGeneration: 1 });
    const { services, claim, instance, operation } = begun;
    await transitions.settleFailed(services, claim, instance, operation, cause);
    t.like(await readInstance(orm, instance.id), { status: 'RUNNING', failedGeneration: 2 });
    t.like(await readInstance(orm, instance.id), { failureCode: 'port_in_use' });
    t.is(await claimNext({ ...services, owner: 'other' }), undefined);
  },
);

testOnEachDatabase(
  'an update of settings that is given up has them as before again, to be made real once more',
  async (t, orm) => {
    const wish = { status: 'RUNNING', generation: 2, appliedGeneration: 1 } as const;
    const begun = await beginSmaller(orm, wish, 'update');
    const { services, claim, instance, operation } = begun;
    await transitions.settleFailed(services, claim, instance, operation, cause);
    const row = await readInstance(orm, instance.id);
    t.like(row, { ...settings, status: 'RUNNING', failureCode: 'port_in_use', generation: 3 });
    t.is((await readOperation(orm, operation.id)).status, 'FAILED');
    t.like(await claimNext({ ...services, owner: 'other' }), { instanceId: row.id, attempts: 1 });
  },
);

testOnEachDatabase(
  'the reason of an update that was given up stays until the next wish, through the run that went back',
  async (t, orm) => {
    const wish = { status: 'RUNNING', generation: 2, appliedGeneration: 1 } as const;
    const begun = await beginSmaller(orm, wish, 'update');
    const { services, claim, instance, operation } = begun;
    await transitions.settleFailed(services, claim, instance, operation, cause);
    const back = await claimNext({ ...services, owner: 'me' });
    const row = await readInstance(orm, instance.id);
    await transitions.settleApplied(services, back ?? claim, row, undefined);
    t.like(await readInstance(orm, instance.id), {
      ...settings,
      status: 'RUNNING',
      appliedGeneration: 3,
      failureCode: 'port_in_use',
      failureMessage: 'taken',
    });
  },
);

for (const status of ['RUNNING', 'STOPPED'] as const) {
  testOnEachDatabase(
    `an instance whose update and the way back are given up stays ${status}, and is watched`,
    async (t, orm) => {
      const wish = { status, generation: 2, appliedGeneration: 1, nodeHost: '127.0.0.1' };
      const begun = await beginSmaller(orm, wish, 'update');
      const { services, claim, instance, operation } = begun;
      await transitions.settleFailed(services, claim, instance, operation, cause);
      t.deepEqual(await listSettled(services, [instance.region]), []);
      const back = await claimNext({ ...services, owner: 'me' });
      const row = await readInstance(orm, instance.id);
      await transitions.settleFailed(services, back ?? claim, row, undefined, cause);
      t.like(await readInstance(orm, instance.id), { ...settings, status, failedGeneration: 3 });
      const [judged, ...others] = await listSettled(services, [instance.region]);
      t.is(judged?.id, instance.id);
      t.deepEqual(others, []);
    },
  );
}

testOnEachDatabase(
  'a restart that fails for settings asked before it goes on without them',
  async (t, orm) => {
    const wish = { status: 'RESTARTING', generation: 3, appliedGeneration: 1 } as const;
    const begun = await beginSmaller(orm, wish, 'restart');
    const { services, claim, instance, operation } = begun;
    await transitions.settleFailed(services, claim, instance, operation, cause);
    t.like(await readInstance(orm, instance.id), { ...settings, status: 'RESTARTING' });
    t.like(await readOperation(orm, operation.id), { status: 'RUNNING', generation: 4 });
  },
);
