import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { noHooks, type StepHooks } from '../../../src/provisioning/step-hooks.ts';
import { createSteps, StepTimeout, withinSilence } from '../../../src/provisioning/steps.ts';
import type { Orm } from '../../../src/store/database.ts';
import { createTestClock } from '../../support/clock.ts';
import { captureLog } from '../../support/log-lines.ts';

const id = 'inst_aaaaaaaaaaaaaaaa';

function stepsWith(hooks: Partial<StepHooks>, signal = new AbortController().signal) {
  const services = {
    // Steps without an operation are not recorded.
    orm: undefined as unknown as Orm,
    clock: createTestClock(),
    logger: captureLog().logger,
    hooks: { ...noHooks, ...hooks },
  };
  return createSteps(services, id, undefined, signal);
}

test('a step that hangs fails when its time is over', async (t) => {
  await t.throwsAsync(
    withinSilence('outputs', 20, () => new Promise(() => {})),
    { instanceOf: StepTimeout, message: /outputs/ },
  );
});

test('a step that says it is alive may take longer, but fails once it is silent', async (t) => {
  let beats = 0;
  const work = async (alive: () => void): Promise<void> => {
    for (; beats < 8; beats += 1) {
      await sleep(50);
      alive();
    }
    await new Promise(() => {});
  };
  await t.throwsAsync(withinSilence('start', 200, work), { instanceOf: StepTimeout });
  t.is(beats, 8);
});

test('hooks are around the work of their step, and what one throws fails it', async (t) => {
  const seen: string[] = [];
  const steps = stepsWith({
    before: async (step, stack) => void seen.push(`before ${step} ${stack}`),
    after: async (step) => {
      seen.push(`after ${step}`);
      if (step === 'room') throw new Error('broken after');
    },
  });
  const result = await steps.run('look', async () => {
    seen.push('work');
    return 7;
  });
  t.is(result, 7);
  t.deepEqual(seen, [`before look ${id}`, 'work', 'after look']);
  await t.throwsAsync(
    steps.run('room', async () => {}),
    { message: 'broken after' },
  );
});

test('no step begins its work once the try is over, not even one that was waiting to', async (t) => {
  const ending = new AbortController();
  const steps = stepsWith({ before: async () => ending.abort() }, ending.signal);
  const work = async (): Promise<void> => t.fail('it began');
  await t.throwsAsync(steps.run('stack', work), { name: 'AbortError' });
  await t.throwsAsync(steps.run('settle', work), { name: 'AbortError' });
});
