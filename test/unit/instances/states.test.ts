import test from 'ava';
import { nextStep, type Step } from '../../../src/instances/states.ts';
import type { InstanceStatus } from '../../../src/store/entities/instance.ts';

type Desired = 'present' | 'absent';

/** Every state there is: wanted, status, the step when something newer is wanted, and when nothing is. */
const table: [Desired, InstanceStatus, newer: Step, settled: Step][] = [
  ['present', 'PROVISIONING', 'apply', 'none'],
  ['present', 'RUNNING', 'apply', 'none'],
  ['present', 'FAILED', 'none', 'none'],
  ['present', 'DELETING', 'apply', 'none'],
  ['present', 'DELETED', 'apply', 'none'],
  ['absent', 'PROVISIONING', 'destroy', 'destroy'],
  ['absent', 'RUNNING', 'destroy', 'destroy'],
  ['absent', 'FAILED', 'destroy', 'destroy'],
  ['absent', 'DELETING', 'destroy', 'destroy'],
  ['absent', 'DELETED', 'none', 'none'],
];

for (const [desired, status, newer, settled] of table) {
  test(`a ${status} instance that is wanted ${desired}: ${newer}, or ${settled} once applied`, (t) => {
    for (const generation of [1, 2, 17]) {
      for (let applied = 0; applied < generation; applied += 1) {
        t.is(nextStep({ desired, status, generation, appliedGeneration: applied }), newer);
      }
      t.is(nextStep({ desired, status, generation, appliedGeneration: generation }), settled);
    }
  });
}
