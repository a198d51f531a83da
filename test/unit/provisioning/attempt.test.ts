import type { ExecutionContext } from 'ava';
import { attempt } from '../../../src/provisioning/attempt.ts';
import { LeaseLost } from '../../../src/provisioning/fenced-writes.ts';
import type { ReconcilerServices } from '../../../src/provisioning/instance-steps.ts';
import { claimNext } from '../../../src/provisioning/leases.ts';
import { noHooks } from '../../../src/provisioning/step-hooks.ts';
import { RunError } from '../../../src/provisioning/worker-pool.ts';
import type { Orm } from '../../../src/store/database.ts';
import { createTestClock } from '../../support/clock.ts';
import { testOnEachDatabase } from '../../support/databases.ts';
import { captureLog } from '../../support/log-lines.ts';
import { addInstance, addOperation, readInstance, readOperation } from '../../support/rows.ts';
import { testConfig } from '../../support/test-config.ts';

const minuteMs = 60_000;

/** A create whose tries fail with what `fail` throws, as their first step; Docker is out of reach. */
async function prepare(orm: Orm, fail: () => Promise<never>) {
  const clock = createTestClock();
  const row = await addInstance(orm);
  const { id: operationId } = await addOperation(orm, row, { kind: 'create' });
  const config = testConfig();
  const hooks = { ...noHooks, before: fail };
  const services = {
    orm,
    clock,
    config,
    hooks,
    logger: captureLog().logger,
    settings: {},
    states: {},
  } as unknown as ReconcilerServices;
  const leases = { orm, clock, owner: 'me' };
  const stop = { isBegun: () => false, overdue: new AbortController().signal };
  return {
    clock,
    leases,
    async makeTry(t: ExecutionContext): Promise<void> {
      const claim = await claimNext(leases);
      if (!claim) throw new Error('nothing was claimed');
      t.is(claim.instanceId, row.id);
      await attempt(services, leases, claim, stop);
    },
    readInstance: () => readInstance(orm, row.id),
    readOperation: () => readOperation(orm, operationId),
  };
}

const timedOut = new RunError({ diagnostics: ['no sign of progress'], timedOut: true });

for (const [what, error] of [
  ['Docker could not be reached', new Error('Cannot connect to the Docker daemon')],
  ['a run hung, and Docker does not answer', timedOut],
] as const) {
  testOnEachDatabase(
    `${what}: the operation waits, and its tries stay for when it is back`,
    async (t, orm) => {
      const scene = await prepare(orm, async () => {
        throw error;
      });
      for (let times = 0; times < 10; times += 1) {
        await scene.makeTry(t);
        const { status, attempts, leaseOwner } = await scene.readInstance();
        t.deepEqual(
          { status, attempts, leaseOwner },
          { status: 'PROVISIONING', attempts: 1, leaseOwner: null },
        );
        const { steps, status: open } = await scene.readOperation();
        t.is(open, 'RUNNING');
        t.deepEqual(
          steps.map(({ name }) => name),
          ['wait'],
        );
        scene.clock.advance(5_000);
      }
    },
  );
}

testOnEachDatabase('a Docker that stays away ends FAILED, with the reason', async (t, orm) => {
  const scene = await prepare(orm, async () => {
    throw timedOut;
  });
  await scene.makeTry(t);
  scene.clock.advance(16 * minuteMs);
  for (let times = 0; times < 2; times += 1) {
    t.is((await scene.readInstance()).status, 'PROVISIONING');
    await scene.makeTry(t);
    scene.clock.advance(minuteMs);
  }
  const reason = { status: 'FAILED', failureCode: 'docker_unreachable' } as const;
  t.like(await scene.readInstance(), reason);
  t.like(await scene.readOperation(), { status: 'FAILED', errorCode: 'docker_unreachable' });
});

testOnEachDatabase(
  'a try whose lease another took over is not counted, and writes no outcome',
  async (t, orm) => {
    const scene = await prepare(orm, async () => {
      scene.clock.advance(10 * minuteMs);
      const taken = await claimNext({ ...scene.leases, owner: 'other' });
      t.is(taken?.attempts, 2);
      throw new LeaseLost('taken over');
    });
    await scene.makeTry(t);
    t.like(await scene.readInstance(), {
      status: 'PROVISIONING',
      leaseOwner: 'other',
      leaseEpoch: 2,
      attempts: 1,
    });
  },
);
