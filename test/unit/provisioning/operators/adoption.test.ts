import { containerMemoryMib } from '../../../../infra/sizing.ts';
import { loadConfig } from '../../../../src/config.ts';
import { asApplied, type Settings } from '../../../../src/instances/settings.ts';
import { createLogger } from '../../../../src/lib/logger.ts';
import { claimNext } from '../../../../src/provisioning/leases.ts';
import {
  type AdoptionServices,
  adoptBeforeRun,
  adoptFromStack,
} from '../../../../src/provisioning/operators/adoption.ts';
import type { StackReport } from '../../../../src/provisioning/operators/stack-state.ts';
import type { Orm } from '../../../../src/store/database.ts';
import { AuditEntryEntity } from '../../../../src/store/entities/audit-entry.ts';
import { type Instance, InstanceEntity } from '../../../../src/store/entities/instance.ts';
import { OperationEntity } from '../../../../src/store/entities/operation.ts';
import { createTestClock } from '../../../support/clock.ts';
import { testOnEachDatabase } from '../../../support/databases.ts';
import { addInstance, addOperation, readInstance } from '../../../support/rows.ts';

const mib = 1024 * 1024;
const before: Settings = {
  maxMemoryBytes: 64 * mib,
  evictionPolicy: 'allkeys-lru',
  persistence: false,
  image: 'sha256:a',
};
const theirs: Settings = { ...before, maxMemoryBytes: 96 * mib, evictionPolicy: 'volatile-lru' };
const running = {
  ...before,
  ...asApplied(before),
  status: 'RUNNING',
  nodeHost: '127.0.0.1',
  nodePort: 20_000,
} as const;

/** The state says `report`; nobody holds the stack's lock unless told. */
function servicesOf(
  orm: Orm,
  report: StackReport,
  { isLocked = false, config = {} }: { isLocked?: boolean; config?: Record<string, string> } = {},
): AdoptionServices {
  return {
    orm,
    clock: createTestClock(),
    config: loadConfig({}),
    logger: createLogger('silent'),
    states: {
      read: async () => report,
      rememberState: async () => async () => true,
      readNewerConfig: async () => config,
      isLocked: () => isLocked,
      hasLock: () => isLocked,
      listMarks: async () => new Map(),
      listEveryMs: 1_000,
    },
  };
}

const made = (settings: Partial<Settings>): StackReport => ({ kind: 'made', settings });

async function auditOf(orm: Orm, { id }: Instance) {
  const entries = await orm.em.fork().find(AuditEntryEntity, { targetId: id });
  return entries
    .map(({ actorKind, action, details }) => ({ actorKind, action, details }))
    .sort((one, other) => JSON.stringify(one).localeCompare(JSON.stringify(other)));
}

/** A wish of its owner that waits, claimed as by the reconciler. */
async function claimed(orm: Orm, changes: Partial<Instance>) {
  const row = await addInstance(orm, {
    ...running,
    generation: 2,
    appliedGeneration: 1,
    ...changes,
  });
  await addOperation(orm, row, { kind: 'update' });
  const claim = await claimNext({ orm, clock: createTestClock(), owner: 'me' });
  if (!claim) throw new Error('nothing was claimed');
  return { claim, instance: await readInstance(orm, row.id) };
}

testOnEachDatabase(
  "an operator's change is wanted and applied, is the operator's in the audit log, and is adopted once",
  async (t, orm) => {
    const row = await addInstance(orm, {
      ...running,
      status: 'DEGRADED',
      drift: [{ kind: 'limits_changed', detail: 'it was', since: '2024-01-15T10:30:00.000Z' }],
    });
    const services = servicesOf(orm, made(theirs));
    t.is(await adoptFromStack(services, row.id), 'adopted');
    t.like(await readInstance(orm, row.id), {
      ...theirs,
      ...asApplied(theirs),
      generation: 2,
      appliedGeneration: 2,
      reservedMib: containerMemoryMib(theirs.maxMemoryBytes, false),
      status: 'RUNNING',
      drift: [],
    });
    const details = { maxMemory: 96 * mib, evictionPolicy: 'volatile-lru', via: 'pulumi up' };
    const line = { actorKind: 'operator', action: 'instance.update', details } as const;
    t.deepEqual(await auditOf(orm, row), [line]);
    t.is(await adoptFromStack(services, row.id), 'unchanged');
    t.is((await auditOf(orm, row)).length, 1);
  },
);

for (const status of ['RUNNING', 'FAILED'] as const) {
  testOnEachDatabase(
    `an operator's change of an instance that was given up while ${status} is adopted, and it stays given up`,
    async (t, orm) => {
      const row = await addInstance(orm, {
        ...running,
        status,
        generation: 3,
        appliedGeneration: 1,
        failedGeneration: 3,
        failureCode: 'docker_unreachable',
        // The wish that was given up, of which the state shows a part.
        triedSettings: [{ ...before, persistence: true }],
      });
      const services = servicesOf(orm, made({ ...theirs, persistence: true }));
      t.is(await adoptFromStack(services, row.id), 'adopted');
      const adopted = await readInstance(orm, row.id);
      t.like(adopted, { ...theirs, ...asApplied(theirs), status, appliedGeneration: 1 });
      t.is(adopted.failedGeneration, adopted.generation);
      t.is(adopted.failureCode, 'docker_unreachable');
      t.is((await auditOf(orm, row)).length, 1);
      t.is(await adoptFromStack(services, row.id), 'unchanged');
    },
  );
}

testOnEachDatabase(
  'what somebody works on is left alone: a lock, a lease, a wish, an unread state',
  async (t, orm) => {
    const later = createTestClock().now().getTime() + 1;
    const held = await addInstance(orm, { ...running, leaseExpiresAtMs: later });
    const wished = await addInstance(orm, {
      ...running,
      nodePort: 20_001,
      generation: 2,
      appliedGeneration: 1,
    });
    const settled = await addInstance(orm, { ...running, nodePort: 20_002 });
    t.is(await adoptFromStack(servicesOf(orm, made(theirs)), held.id), 'busy');
    t.is(await adoptFromStack(servicesOf(orm, made(theirs)), wished.id), 'busy');
    t.is(
      await adoptFromStack(servicesOf(orm, made(theirs), { isLocked: true }), settled.id),
      'busy',
    );
    t.is(await adoptFromStack(servicesOf(orm, { kind: 'unknown' }), settled.id), 'unreadable');
    for (const row of [held, wished, settled]) {
      t.like(await readInstance(orm, row.id), before);
      t.deepEqual(await auditOf(orm, row), []);
    }
  },
);

testOnEachDatabase(
  'what is wanted, or taken in hand, while the state is read is never written over',
  async (t, orm) => {
    const lease = { leaseEpoch: 1, leaseExpiresAtMs: createTestClock().now().getTime() + 1 };
    for (const meanwhile of [{ generation: 2 }, { leaseEpoch: 1 }, lease]) {
      const row = await addInstance(orm, running);
      const services = servicesOf(orm, made(theirs));
      const states = {
        ...services.states,
        async read() {
          await orm.em.fork().nativeUpdate(InstanceEntity, { id: row.id }, meanwhile);
          return made(theirs);
        },
      };
      t.is(await adoptFromStack({ ...services, states }, row.id), 'busy');
      t.like(await readInstance(orm, row.id), { ...before, ...meanwhile });
      t.deepEqual(await auditOf(orm, row), []);
      await orm.em.fork().nativeUpdate(InstanceEntity, { id: row.id }, { nodePort: null });
    }
  },
);

testOnEachDatabase(
  'a run builds on what an operator made meanwhile, and a failure goes back to it, not before it',
  async (t, orm) => {
    const { claim, instance } = await claimed(orm, { persistence: true });
    t.true(await adoptBeforeRun(servicesOf(orm, made(theirs)), claim, instance));
    const wanted = { ...theirs, persistence: true };
    const row = await readInstance(orm, instance.id);
    for (const seen of [row, instance]) {
      t.like(seen, { ...wanted, ...asApplied(theirs), generation: 2, triedSettings: [wanted] });
      t.is(seen.reservedMib, containerMemoryMib(theirs.maxMemoryBytes, true));
    }
    t.is((await auditOf(orm, instance))[0]?.actorKind, 'operator');
  },
);

testOnEachDatabase(
  "what the service's own run left half-done is done again, and is nobody else's",
  async (t, orm) => {
    const wanted = { ...before, maxMemoryBytes: 128 * mib };
    const { claim, instance } = await claimed(orm, { ...wanted, triedSettings: [wanted] });
    t.true(await adoptBeforeRun(servicesOf(orm, made(wanted)), claim, instance));
    t.like(instance, { ...wanted, ...asApplied(before) });
    t.deepEqual(await auditOf(orm, instance), []);
  },
);

testOnEachDatabase(
  'a run for what is no longer wanted is not begun, and gives its lease back',
  async (t, orm) => {
    const { claim, instance } = await claimed(orm, {});
    const stale = { ...instance, generation: 1 };
    t.false(await adoptBeforeRun(servicesOf(orm, made(theirs)), claim, stale));
    t.like(await readInstance(orm, instance.id), { ...before, leaseOwner: null });
    t.deepEqual(await auditOf(orm, instance), []);
  },
);

testOnEachDatabase('a run on a locked stack is refused before it begins', async (t, orm) => {
  const { claim, instance } = await claimed(orm, {});
  const services = servicesOf(orm, made(before), { isLocked: true });
  const refused = await t.throwsAsync(adoptBeforeRun(services, claim, instance));
  t.like(refused, { code: 'stack_locked' });
});

testOnEachDatabase(
  'a destroyed stack ends its instance, protected or not, and the operation says whose deed it was',
  async (t, orm) => {
    const row = await addInstance(orm, { ...running, deletionProtection: true });
    t.is(await adoptFromStack(servicesOf(orm, { kind: 'empty' }), row.id), 'ended');
    t.like(await readInstance(orm, row.id), { desired: 'absent', status: 'DELETING' });
    const operation = await orm.em.fork().findOneOrFail(OperationEntity, { instanceId: row.id });
    t.is(operation.kind, 'delete');
    const [line] = await auditOf(orm, row);
    t.like(line, { actorKind: 'operator', action: 'instance.delete' });
    t.is(line?.details.via, 'pulumi destroy');
  },
);

testOnEachDatabase(
  'a run whose stack was destroyed while it waited makes nothing anew',
  async (t, orm) => {
    const { claim, instance } = await claimed(orm, {});
    t.false(await adoptBeforeRun(servicesOf(orm, { kind: 'empty' }), claim, instance));
    t.like(await readInstance(orm, instance.id), { desired: 'absent', leaseOwner: null });
  },
);

testOnEachDatabase(
  'an instance that never ran is not ended for want of a stack',
  async (t, orm) => {
    const row = await addInstance(orm, { status: 'FAILED' });
    t.is(await adoptFromStack(servicesOf(orm, { kind: 'empty' }), row.id), 'unchanged');
    t.is((await readInstance(orm, row.id)).desired, 'present');
  },
);

testOnEachDatabase(
  'what waits in the file for an up goes along with the next run; what may not is set back, and it is said',
  async (t, orm) => {
    const { claim, instance } = await claimed(orm, { persistence: true });
    const config = {
      'swiftcache:maxMemoryBytes': String(128 * mib),
      'swiftcache:evictionPolicy': 'the-best',
      'swiftcache:persistence': 'false',
      'swiftcache:image': 'sha256:b',
      'swiftcache:port': '1',
    };
    t.true(await adoptBeforeRun(servicesOf(orm, made(before), { config }), claim, instance));
    const wanted = { ...before, maxMemoryBytes: 128 * mib, persistence: true };
    t.like(await readInstance(orm, instance.id), { ...wanted, ...asApplied(before) });
    t.deepEqual(await auditOf(orm, instance), [
      {
        actorKind: 'operator',
        action: 'instance.update',
        details: { maxMemory: 128 * mib, via: 'pulumi config set' },
      },
      {
        actorKind: 'operator',
        action: 'instance.update',
        details: { settings: ['evictionPolicy', 'image'], via: 'pulumi config set' },
      },
    ]);
  },
);

testOnEachDatabase(
  "what the service wrote into the file for a run that broke off is nobody else's",
  async (t, orm) => {
    const asked = { ...before, maxMemoryBytes: 128 * mib };
    const { claim, instance } = await claimed(orm, { triedSettings: [asked] });
    const config = { 'swiftcache:maxMemoryBytes': String(asked.maxMemoryBytes) };
    t.true(await adoptBeforeRun(servicesOf(orm, made(before), { config }), claim, instance));
    t.like(instance, before);
    t.deepEqual(await auditOf(orm, instance), []);
  },
);
