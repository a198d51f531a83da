import { heartbeatMs } from '../../../src/lib/lease-times.ts';
import {
  type Claim,
  claimNext,
  freeDeadLeases,
  renewLease,
  uncountTry,
} from '../../../src/provisioning/leases.ts';
import { postpone } from '../../../src/provisioning/transitions.ts';
import type { Orm } from '../../../src/store/database.ts';
import { createTestClock } from '../../support/clock.ts';
import { testOnEachDatabase } from '../../support/databases.ts';
import { addInstance, addOrganization, readInstance } from '../../support/rows.ts';

/** Longer than any lease lasts. */
const longMs = 10 * 60_000;

function leasesOf(orm: Orm, owner = 'me') {
  return { orm, clock: createTestClock(), owner };
}

async function claim(leases: ReturnType<typeof leasesOf>): Promise<Claim> {
  const claimed = await claimNext(leases);
  if (!claimed) throw new Error('nothing was claimed');
  return claimed;
}

testOnEachDatabase('of twenty claimants at once, no two get the same instance', async (t, orm) => {
  const { id: organizationId } = await addOrganization(orm);
  const instances = await Promise.all(
    Array.from({ length: 20 }, () => addInstance(orm, { organizationId })),
  );
  const claims: Claim[] = [];
  const claimant = async (_: unknown, index: number): Promise<void> => {
    const leases = leasesOf(orm, `claimant ${index}`);
    // Who loses a race gets nothing and asks again; the bound is for a claim that never comes.
    for (let tries = 0; tries < 200 && claims.length < instances.length; tries += 1) {
      const claimed = await claimNext(leases);
      if (claimed) claims.push(claimed);
    }
  };
  await Promise.all(Array.from({ length: 20 }, claimant));
  t.deepEqual(
    claims.map(({ instanceId }) => instanceId).sort(),
    instances.map(({ id }) => id).sort(),
  );
  for (const { epoch, attempts } of claims)
    t.deepEqual({ epoch, attempts }, { epoch: 1, attempts: 1 });
});

testOnEachDatabase('one instance and many claimants: one of them wins', async (t, orm) => {
  const { id } = await addInstance(orm);
  const claims = await Promise.all(
    Array.from({ length: 20 }, (_, index) => claimNext(leasesOf(orm, `claimant ${index}`))),
  );
  const won = claims.filter((claimed) => claimed !== undefined);
  t.is(won.length, 1);
  t.is((await readInstance(orm, id)).leaseEpoch, 1);
});

testOnEachDatabase('only instances that are not as wanted are claimed', async (t, orm) => {
  const { id: organizationId } = await addOrganization(orm);
  for (const status of ['RUNNING', 'STOPPED', 'FAILED', 'DELETED'] as const) {
    await addInstance(orm, { organizationId, status });
  }
  // Given up, though still running as before.
  await addInstance(orm, { organizationId, status: 'RUNNING', generation: 2, failedGeneration: 2 });
  t.is(await claimNext(leasesOf(orm)), undefined);
  for (const status of ['PROVISIONING', 'RUNNING', 'STOPPING', 'DELETING'] as const) {
    const { id } = await addInstance(orm, {
      organizationId,
      status,
      generation: 2,
      appliedGeneration: 1,
      failedGeneration: 1,
    });
    t.is((await claim(leasesOf(orm))).instanceId, id);
  }
});

testOnEachDatabase('what has waited longest is claimed first', async (t, orm) => {
  const { id: organizationId } = await addOrganization(orm);
  const add = (nextAttemptAtMs: number, second: number) => {
    const createdAt = new Date(Date.UTC(2024, 0, 1, 0, 0, second));
    return addInstance(orm, { organizationId, nextAttemptAtMs, createdAt });
  };
  const third = await add(2_000, 0);
  const second = await add(1_000, 2);
  const first = await add(1_000, 1);
  const leases = leasesOf(orm);
  for (const { id } of [first, second, third]) t.is((await claim(leases)).instanceId, id);
});

testOnEachDatabase('a postponed instance is not claimed before its time', async (t, orm) => {
  const leases = leasesOf(orm);
  await addInstance(orm, { nextAttemptAtMs: leases.clock.now().getTime() + 5_000 });
  t.is(await claimNext(leases), undefined);
  leases.clock.advance(4_999);
  t.is(await claimNext(leases), undefined);
  leases.clock.advance(1);
  t.truthy(await claimNext(leases));
});

testOnEachDatabase('a lease that is renewed is kept, however long', async (t, orm) => {
  const leases = leasesOf(orm);
  await addInstance(orm);
  const claimed = await claim(leases);
  for (let beats = 0; beats < 20; beats += 1) {
    leases.clock.advance(heartbeatMs);
    t.true(await renewLease(leases, claimed));
    t.is(await claimNext({ ...leases, owner: 'other' }), undefined);
  }
});

testOnEachDatabase(
  'a heartbeat may be missed, and two, without losing the lease',
  async (t, orm) => {
    const leases = leasesOf(orm);
    await addInstance(orm);
    await claim(leases);
    leases.clock.advance(3 * heartbeatMs);
    t.is(await claimNext({ ...leases, owner: 'other' }), undefined);
  },
);

testOnEachDatabase('an expired lease is taken over with a higher epoch', async (t, orm) => {
  const leases = leasesOf(orm);
  const { id } = await addInstance(orm);
  const old = await claim(leases);
  leases.clock.advance(longMs);
  const taken = await claim({ ...leases, owner: 'other' });
  t.is(taken.instanceId, id);
  t.true(taken.epoch > old.epoch);
  t.is(taken.attempts, old.attempts + 1);
  t.is((await readInstance(orm, id)).leaseOwner, 'other');
});

testOnEachDatabase(
  'who lost a lease cannot renew it, and does not prolong the new one',
  async (t, orm) => {
    const leases = leasesOf(orm);
    const { id } = await addInstance(orm);
    const old = await claim(leases);
    leases.clock.advance(longMs);
    await claim({ ...leases, owner: 'other' });
    const { leaseExpiresAtMs } = await readInstance(orm, id);
    leases.clock.advance(1_000);
    t.false(await renewLease(leases, old));
    t.is((await readInstance(orm, id)).leaseExpiresAtMs, leaseExpiresAtMs);
  },
);

testOnEachDatabase(
  'a heartbeat that comes late does not hold what was given back',
  async (t, orm) => {
    const leases = leasesOf(orm);
    const { id } = await addInstance(orm);
    const claimed = await claim(leases);
    await postpone(leases, claimed, 0);
    t.false(await renewLease(leases, claimed));
    t.is((await readInstance(orm, id)).leaseExpiresAtMs, 0);
    t.truthy(await claimNext(leases));
  },
);

testOnEachDatabase('only the leases of dead owners are freed', async (t, orm) => {
  const { id: organizationId } = await addOrganization(orm);
  const owners = ['dead', 'alive', 'dead', 'elsewhere'];
  const leases = leasesOf(orm);
  const held = new Map<string, string>();
  for (const owner of owners) {
    const { id } = await addInstance(orm, { organizationId });
    t.is((await claim({ ...leases, owner })).instanceId, id);
    held.set(id, owner);
  }
  await freeDeadLeases(leases, (owner) => owner === 'dead');
  for (const [id, owner] of held) {
    const { leaseExpiresAtMs } = await readInstance(orm, id);
    t.is(leaseExpiresAtMs === 0, owner === 'dead', owner);
  }
  const again = [await claim(leases), await claim(leases), await claimNext(leases)];
  t.deepEqual(
    again.map((claimed) => claimed && held.get(claimed.instanceId)),
    ['dead', 'dead', undefined],
  );
});

testOnEachDatabase(
  'a clock that is set back holds no instance: neither its lease nor its wait',
  async (t, orm) => {
    await addInstance(orm);
    const leases = leasesOf(orm);
    const first = await claim(leases);
    leases.clock.advance(-60 * 60_000);
    const second = await claim(leases);
    t.is(second.epoch, first.epoch + 1);
    await postpone(leases, second, 5_000);
    leases.clock.advance(-60 * 60_000);
    t.is((await claim(leases)).epoch, second.epoch + 1);
  },
);

testOnEachDatabase(
  'who has an instance in hand does not claim it again, however the clock is moved; others may',
  async (t, orm) => {
    const { id: organizationId } = await addOrganization(orm);
    const leases = leasesOf(orm);
    await addInstance(orm, { organizationId });
    const { instanceId } = await claim(leases);
    for (const byMs of [longMs, -2 * longMs]) {
      leases.clock.advance(byMs);
      t.is(await claimNext(leases, ['inst_other', instanceId]), undefined);
    }
    const { id } = await addInstance(orm, { organizationId });
    t.is((await claimNext(leases, [instanceId]))?.instanceId, id);
    leases.clock.advance(-longMs);
    t.like(await claimNext({ ...leases, owner: 'other' }), { epoch: 2 });
  },
);

testOnEachDatabase(
  'a try is taken off the count only where its lease was taken over for the same wish',
  async (t, orm) => {
    const leases = leasesOf(orm);
    const { id, generation } = await addInstance(orm);
    const old = await claim(leases);
    await uncountTry(leases, old, generation);
    t.is((await readInstance(orm, id)).attempts, 1);
    leases.clock.advance(longMs);
    await claim({ ...leases, owner: 'other' });
    await uncountTry(leases, old, generation + 1);
    t.is((await readInstance(orm, id)).attempts, 2);
    await uncountTry(leases, old, generation);
    await uncountTry(leases, old, generation);
    t.is((await readInstance(orm, id)).attempts, 1, 'never as if nothing had begun');
  },
);

testOnEachDatabase(
  'a claim whose answer was lost holds nothing up: its lease is free for who won it',
  async (t, orm) => {
    const leases = leasesOf(orm);
    await addInstance(orm);
    await claim(leases);
    t.is(await claimNext({ ...leases, owner: 'other' }), undefined);
    t.like(await claimNext(leases, []), { epoch: 2 });
  },
);
