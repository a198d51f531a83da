import test from 'ava';
import { compareOutcomes, type Outcome, type Outcomes } from './outcomes.ts';

const passed: Outcome = { outcome: 'passed', reason: '' };
const failed = (reason: string): Outcome => ({ outcome: 'failed', reason });
const of = (outcomes: Record<string, Outcome>): Outcomes => new Map(Object.entries(outcomes));

test('another end, another reason and a test that ran on one side alone are differences', (t) => {
  const door = of({ same: passed, fails: failed('a'), reason: failed('b'), more: passed });
  const direct = of({ same: passed, fails: passed, reason: failed('c'), less: passed });
  const found = compareOutcomes({ door, direct }, []);
  t.deepEqual(found.map(({ text }) => text).sort(), [
    'fails: failed: a; directly passed',
    'less: not run; directly passed',
    'more: passed; directly not run',
    'reason: failed: b; directly failed: c',
  ]);
});

test('what fails alike is none, and what is listed is passed over', (t) => {
  const door = of({ forbidden: failed('NOPERM'), 'tests/listed[1]': failed('by design') });
  const direct = of({ forbidden: failed('NOPERM'), 'tests/listed[1]': passed });
  t.deepEqual(
    compareOutcomes({ door, direct }, [{ test: /^tests\/listed/, why: 'by design' }]),
    [],
  );
});
