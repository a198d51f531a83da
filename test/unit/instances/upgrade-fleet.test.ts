/** A fleet's upgrade beside its owners: what they do meanwhile stops nothing. */
import type { ExecutionContext } from 'ava';
import { FleetStopped, planFleet, upgradeMember } from '../../../src/instances/upgrade-fleet.ts';
import { pollUntil } from '../../../src/lib/retry.ts';
import type { Orm } from '../../../src/store/database.ts';
import type { Instance } from '../../../src/store/entities/instance.ts';
import { InstanceEntity } from '../../../src/store/entities/instance.ts';
import { OperationEntity } from '../../../src/store/entities/operation.ts';
import { createTestClock } from '../../support/clock.ts';
import { testOnEachDatabase } from '../../support/databases.ts';
import { addInstance, addOperation, readInstance } from '../../support/rows.ts';
import { testConfig } from '../../support/test-config.ts';

const next = `sha256:${'b'.repeat(64)}`;
const old = `sha256:${'a'.repeat(64)}`;

async function startFleet(orm: Orm) {
  const running = { status: 'RUNNING', image: old, appliedImage: old } as const;
  const instance = await addInstance(orm, running);
  const [member] = await planFleet(orm, next, [instance.id]);
  if (!member) throw new Error('the fleet is empty');
  let usedMemory = async (): Promise<number> => 1;
  const services = {
    orm,
    clock: createTestClock(),
    config: testConfig(),
    provisioner: { wake: () => {} },
    runtime: { readUsedMemory: () => usedMemory() },
  };
  const change = async (changes: Partial<Instance>): Promise<void> => {
    await orm.em.fork().nativeUpdate(InstanceEntity, { id: instance.id }, changes);
  };
  return {
    instance,
    change,
    upgrade: () => upgradeMember(services as never, member, next),
    answer: (answer: () => Promise<number>) => {
      usedMemory = answer;
    },
    /** Waits for the fleet's wish, as the reconciler would see it. */
    wished: async () =>
      await pollUntil(
        async () => {
          const row = await readInstance(orm, instance.id);
          return row.image === next ? row : undefined;
        },
        { timeoutMs: 20_000, intervalMs: 20 },
      ),
    endUpgrade: async (status: 'SUPERSEDED' | 'FAILED' | 'SUCCEEDED') => {
      const upgrade = { instanceId: instance.id, kind: 'upgrade' as const };
      await orm.em.fork().nativeUpdate(OperationEntity, upgrade, { status });
    },
  };
}

type World = Awaited<ReturnType<typeof startFleet>>;
const stopped = (t: ExecutionContext, upgrading: Promise<unknown>, message: RegExp) =>
  t.throwsAsync(upgrading, { instanceOf: FleetStopped, message });

const before: Record<string, Partial<Instance>> = {
  'it is STOPPED': { status: 'STOPPED', power: 'off' },
  'it is being deleted': { desired: 'absent' },
  'it is DELETED': { status: 'DELETED' },
  'it has the image already': { image: next, appliedImage: next },
};
for (const [reason, changes] of Object.entries(before)) {
  testOnEachDatabase(`what became otherwise since the plan is left: ${reason}`, async (t, orm) => {
    const fleet = await startFleet(orm);
    await fleet.change(changes);
    t.is(await fleet.upgrade(), reason);
    t.is(await orm.em.fork().count(OperationEntity), 0);
  });
}

const meanwhile: Record<string, (world: World) => Promise<void>> = {
  async 'it is being deleted'(world) {
    await world.change({ desired: 'absent' });
  },
  async 'its owner wanted something else; it is STOPPED'(world) {
    const { generation } = await world.wished();
    await world.endUpgrade('SUPERSEDED');
    await world.change({
      status: 'STOPPED',
      generation: generation + 1,
      appliedGeneration: generation + 1,
    });
  },
};
for (const [reason, act] of Object.entries(meanwhile)) {
  testOnEachDatabase(
    `what its owner does during the upgrade is left: ${reason}`,
    async (t, orm) => {
      const fleet = await startFleet(orm);
      const upgrading = fleet.upgrade();
      await fleet.wished();
      await act(fleet);
      t.is(await upgrading, reason);
    },
  );
}

testOnEachDatabase('an upgrade that fails by itself stops the fleet', async (t, orm) => {
  const fleet = await startFleet(orm);
  const upgrading = stopped(t, fleet.upgrade(), /back on its old image and is RUNNING/);
  const { generation } = await fleet.wished();
  await fleet.endUpgrade('FAILED');
  await fleet.change({ image: old, appliedGeneration: generation });
  await upgrading;

  const silent = await startFleet(orm);
  silent.answer(async () => {
    throw new Error('connect ECONNREFUSED');
  });
  const other = stopped(t, silent.upgrade(), /does not answer/);
  const wish = await silent.wished();
  await silent.change({ appliedImage: next, appliedGeneration: wish.generation });
  await other;
});

testOnEachDatabase('a plan whose operations are all under way is waited for', async (t, orm) => {
  const fleet = await startFleet(orm);
  const busy: string[] = [];
  for (let i = 0; i < 100; i += 1) {
    busy.push((await addOperation(orm, fleet.instance, { kind: 'update' })).id);
  }
  // They are another instance's of the same organization.
  const sibling = await addInstance(orm, { organizationId: fleet.instance.organizationId });
  const em = orm.em.fork();
  await em.nativeUpdate(OperationEntity, { id: { $in: busy } }, { instanceId: sibling.id });
  const upgrading = fleet.upgrade();
  t.is((await readInstance(orm, fleet.instance.id)).image, old);
  await em.nativeUpdate(OperationEntity, { id: { $in: busy } }, { status: 'SUCCEEDED' });
  const { generation } = await fleet.wished();
  await fleet.change({ appliedImage: next, appliedGeneration: generation });
  t.is(await upgrading, undefined);
});
