import test from 'ava';
import { nextStep, type Step } from '../../../src/instances/states.ts';
import type { InstanceStatus } from '../../../src/store/entities/instance.ts';

type Desired = 'present' | 'absent';

const statuses: InstanceStatus[] = [
  'PROVISIONING',
  'RUNNING',
  'RESTARTING',
  'STOPPING',
  'STOPPED',
  'STARTING',
  'FAILED',
  'DELETING',
];

for (const status of statuses) {
  for (const generation of [1, 2, 17]) {
    const settled = { status, generation, appliedGeneration: generation, failedGeneration: 0 };
    const behind = { ...settled, appliedGeneration: generation - 1 };
    test(`a ${status} instance of generation ${generation}: each step from the row alone`, (t) => {
      const step = (row: typeof settled, desired: Desired): Step => nextStep({ ...row, desired });
      t.is(step(behind, 'present'), 'apply');
      t.is(step(settled, 'present'), 'none');
      t.is(step({ ...behind, failedGeneration: generation - 1 }, 'present'), 'apply');
      t.is(step({ ...behind, failedGeneration: generation }, 'present'), 'none');
      for (const row of [behind, settled, { ...behind, failedGeneration: generation }]) {
        t.is(step(row, 'absent'), 'destroy');
      }
    });
  }
}

test('a DELETED instance stays what it is', (t) => {
  const row = {
    status: 'DELETED',
    generation: 2,
    appliedGeneration: 2,
    failedGeneration: 0,
  } as const;
  t.is(nextStep({ ...row, desired: 'absent' }), 'none');
});
