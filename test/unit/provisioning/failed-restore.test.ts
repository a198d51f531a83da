/** Restores that fail: whether the instance goes on as it was, or is not as it was any more. */
import { listSettled } from '../../../src/provisioning/drift/judged-rows.ts';
import { LeaseLost } from '../../../src/provisioning/fenced-writes.ts';
import { claimNext } from '../../../src/provisioning/leases.ts';
import { beginRestore } from '../../../src/provisioning/opening.ts';
import * as transitions from '../../../src/provisioning/transitions.ts';
import { InstanceEntity } from '../../../src/store/entities/instance.ts';
import { testOnEachDatabase } from '../../support/databases.ts';
import { readInstance, readOperation } from '../../support/rows.ts';
import { begin } from './claimed-instance.ts';

const settings = {
  maxMemoryBytes: 512,
  evictionPolicy: 'volatile-lru',
  persistence: true,
  image: 'sha256:of-before',
};
const wanted = {
  ...settings,
  appliedMaxMemoryBytes: 512,
  appliedEvictionPolicy: 'volatile-lru',
  appliedPersistence: true,
  appliedImage: 'sha256:of-before',
  nodeHost: '127.0.0.1',
  generation: 4,
  appliedGeneration: 3,
  restoreBackupId: 'bkp_a',
  restoreGeneration: 4,
} as const;
const refused = { code: 'backup_store_unreachable', message: 'away', transient: false } as const;
const broken = { code: 'provisioning_failed', message: 'broken', transient: true } as const;
const over = { restoreBackupId: null, restoreGeneration: 0 };

for (const [status, after] of [
  ['RUNNING', 'RUNNING'],
  ['DEGRADED', 'DEGRADED'],
  ['RESTARTING', 'RUNNING'],
] as const) {
  testOnEachDatabase(
    `a refused restore of an instance that was ${status} is forgotten, and the instance watched`,
    async (t, orm) => {
      const begun = await begin(orm, { ...wanted, status }, 'restore');
      const { services, claim, instance, operation } = begun;
      await transitions.settleFailed(services, claim, instance, operation, refused);
      const row = await readInstance(orm, instance.id);
      t.like(row, { ...over, status: after, appliedGeneration: 4, failedGeneration: 0 });
      t.is(row.failureCode, refused.code);
      t.is((await readOperation(orm, operation.id)).errorCode, refused.code);
      t.deepEqual(
        (await listSettled(services, [row.region])).map(({ id }) => id),
        [row.id],
      );
    },
  );
}

testOnEachDatabase(
  'a restore that breaks off before it began does not come over the data that are written later',
  async (t, orm) => {
    const begun = await begin(orm, { ...wanted, status: 'RUNNING' }, 'restore');
    const { services, claim, instance, operation } = begun;
    await transitions.settleFailed(services, claim, instance, operation, broken);
    t.like(await readInstance(orm, instance.id), { ...over, status: 'RUNNING' });
    t.is((await readOperation(orm, operation.id)).status, 'FAILED');
  },
);

testOnEachDatabase(
  'a restore that has begun is never given up for the data of before, whatever it fails of',
  async (t, orm) => {
    const begun = await begin(orm, { ...wanted, status: 'RUNNING' }, 'restore');
    const { services, claim, instance, operation } = begun;
    t.true(await beginRestore({ ...services, ...nothingElse }, { ...begun, ...noRun }));
    t.like(await readInstance(orm, instance.id), {
      status: 'RESTARTING',
      restoreBegunGeneration: 4,
    });
    await transitions.settleFailed(services, claim, instance, operation, refused);
    const row = await readInstance(orm, instance.id);
    t.like(row, { status: 'FAILED', restoreGeneration: 4, restoreBackupId: 'bkp_a' });
    t.like(row, { appliedGeneration: 3, failedGeneration: 4 });

    // Nor is a later one, of another backup.
    const next = { generation: 5, restoreGeneration: 5, restoreBackupId: 'bkp_b' };
    await orm.em.fork().nativeUpdate(InstanceEntity, { id: row.id }, next);
    const again = await claimNext({ ...services, owner: 'me' });
    const later = await readInstance(orm, row.id);
    await transitions.settleFailed(services, again ?? claim, later, undefined, refused);
    t.like(await readInstance(orm, row.id), { status: 'FAILED', restoreBackupId: 'bkp_b' });
  },
);

testOnEachDatabase('a restore that is no longer wanted does not begin', async (t, orm) => {
  const begun = await begin(orm, { ...wanted, status: 'RUNNING' }, 'restore');
  const newer = { generation: 5, status: 'STOPPING', power: 'off' } as const;
  await orm.em.fork().nativeUpdate(InstanceEntity, { id: begun.instance.id }, newer);
  t.false(await beginRestore({ ...begun.services, ...nothingElse }, { ...begun, ...noRun }));
  t.like(await readInstance(orm, begun.instance.id), {
    ...newer,
    restoreBegunGeneration: 0,
    leaseOwner: null,
  });
});

testOnEachDatabase('a lease that was lost begins no restore', async (t, orm) => {
  const begun = await begin(orm, { ...wanted, status: 'RUNNING' }, 'restore');
  const taken = { leaseEpoch: begun.claim.epoch + 1 };
  await orm.em.fork().nativeUpdate(InstanceEntity, { id: begun.instance.id }, taken);
  const beginning = beginRestore({ ...begun.services, ...nothingElse }, { ...begun, ...noRun });
  await t.throwsAsync(beginning, { instanceOf: LeaseLost });
  t.is((await readInstance(orm, begun.instance.id)).restoreBegunGeneration, 0);
});

testOnEachDatabase(
  'a restore that is refused for settings asked before it has failed, and they are set back',
  async (t, orm) => {
    const changed = { ...wanted, status: 'RUNNING', maxMemoryBytes: 64 } as const;
    const { services, claim, instance, operation } = await begin(orm, changed, 'restore');
    await transitions.settleFailed(services, claim, instance, operation, refused);
    t.like(await readInstance(orm, instance.id), { ...settings, ...over, generation: 5 });
    t.is((await readOperation(orm, operation.id)).status, 'FAILED');
  },
);

/** What writing down a begin does not use. */
const nothingElse = {} as Parameters<typeof beginRestore>[0];
const noRun = {} as Pick<Parameters<typeof beginRestore>[1], 'steps' | 'signal' | 'holdsLease'>;
