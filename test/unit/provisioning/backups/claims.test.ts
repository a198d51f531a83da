/** Who works on a backup: one at a time, and whoever lost it writes nothing. */
import { systemCaller } from '../../../../src/accounts/caller.ts';
import { deleteBackup } from '../../../../src/backups/delete-backup.ts';
import type { InstanceServices } from '../../../../src/instances/services.ts';
import {
  ClaimLost,
  claimNext,
  freeDeadClaims,
  giveBack,
  renewClaim,
  writeClaimed,
} from '../../../../src/provisioning/backups/claims.ts';
import type { Orm } from '../../../../src/store/database.ts';
import { createTestClock } from '../../../support/clock.ts';
import { testOnEachDatabase } from '../../../support/databases.ts';
import { addBackup, addInstance, readBackup } from '../../../support/rows.ts';

const world = (orm: Orm) => {
  const clock = createTestClock();
  return { orm, clock, owner: 'host:1:1' };
};

testOnEachDatabase('of many that ask at once, one gets a backup', async (t, orm) => {
  const services = world(orm);
  const { id } = await addBackup(orm, await addInstance(orm));
  const claims = await Promise.all(Array.from({ length: 5 }, () => claimNext(services)));
  t.deepEqual(claims.filter(Boolean), [{ backupId: id, epoch: 1, attempts: 1 }]);
  t.is((await readBackup(orm, id))?.status, 'RUNNING');
});

testOnEachDatabase(
  'a claim that ran out is another’s, and its first holder stops',
  async (t, orm) => {
    const services = world(orm);
    await addBackup(orm, await addInstance(orm));
    const first = await claimNext(services);
    services.clock.advance(46_000);
    const second = await claimNext(services);
    t.is(second?.epoch, 2);
    if (!first || !second) return;
    await t.throwsAsync(renewClaim(services, first), { instanceOf: ClaimLost });
    await t.throwsAsync(writeClaimed(orm, first, { status: 'AVAILABLE' }), {
      instanceOf: ClaimLost,
    });
    await t.notThrowsAsync(renewClaim(services, second));
  },
);

testOnEachDatabase(
  'a clock that is set back holds no backup: neither its claim nor its wait',
  async (t, orm) => {
    const services = world(orm);
    await addBackup(orm, await addInstance(orm));
    const first = await claimNext(services);
    services.clock.advance(-3_600_000);
    const second = await claimNext(services);
    t.like(second, { backupId: first?.backupId, epoch: 2 });
    if (!second) return;
    services.clock.advance(3_600_000);
    await giveBack(services, second, { waitMs: 60_000, attempts: 1 });
    services.clock.advance(-3_600_000);
    t.like(await claimNext(services), { epoch: 3 });
  },
);

testOnEachDatabase('what was given back is taken again when its wait is over', async (t, orm) => {
  const services = world(orm);
  await addBackup(orm, await addInstance(orm));
  const claim = await claimNext(services);
  if (!claim) return t.fail();
  await giveBack(services, claim, { waitMs: 5_000, attempts: 1 });
  t.is(await claimNext(services), undefined);
  services.clock.advance(5_001);
  t.like(await claimNext(services), { attempts: 2 });
});

testOnEachDatabase(
  'claims of the dead are free at once, those of the living are not',
  async (t, orm) => {
    const services = world(orm);
    await addBackup(orm, await addInstance(orm));
    await claimNext(services);
    await freeDeadClaims(services, () => false);
    t.is(await claimNext(services), undefined);
    await freeDeadClaims(services, (owner) => owner === 'host:1:1');
    t.like(await claimNext(services), { epoch: 2 });
  },
);

testOnEachDatabase(
  'a backup that is deleted while it is taken does not come back',
  async (t, orm) => {
    const services = world(orm);
    const instance = await addInstance(orm);
    const { id } = await addBackup(orm, instance);
    const claim = await claimNext(services);
    if (!claim) return t.fail();
    const deleting = { ...services, backupRunner: { wake() {} } } as unknown as InstanceServices;
    const caller = systemCaller(instance.organizationId);
    await deleteBackup({ ...deleting, backupRunner: { wake() {} } }, caller, id);
    await t.throwsAsync(writeClaimed(orm, claim, { status: 'AVAILABLE' }), {
      instanceOf: ClaimLost,
    });
    t.is(await claimNext(services), undefined, 'its file may still be on its way');
    services.clock.advance(46_000);
    t.like(await claimNext(services), { backupId: id });
    t.is((await readBackup(orm, id))?.status, 'DELETING');
  },
);
