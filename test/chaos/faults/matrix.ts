/**
 * The step matrix: every step of create, update, delete and the power changes × {throw, hang, kill -9 of
 * the service, the worker, the CLI, the provider plugins} × {before, after}.
 *
 * Of every case it is asserted that the very step it aimed at was reached and broken there, that the
 * operation ended well within a minute, that the instance is what was wanted, and that a step broken after
 * its work was done again to the same end.
 */

import { pollUntil } from '../../../src/lib/retry.ts';
import type { Bench, Fault } from '../bench.ts';
import { planFaults, readTraces } from '../plans.ts';
import { terminalWithinMs, type World } from '../world.ts';
import { type Case, chooseCases, nameOf } from './matrix-cases.ts';
import { checkOutcome, nextChange, openSubject, type Subject, wish } from './matrix-subjects.ts';

/** Cases that break nothing but their own instance's run are tried side by side. */
const sideBySide = 5;
const shortCases = 5;

export const matrix: Fault = {
  name: 'matrix',
  what: 'each step of each operation, broken in each way before and after it',
  tries: { short: shortCases, full: Number.POSITIVE_INFINITY },
  async run(bench) {
    const world = await bench.fresh({ entry: 'test/chaos/faulty-service.ts' });
    const { cases, choice } = chooseCases(bench.tries, bench.cases);
    bench.say(`  ${cases.length} cases${choice}`);
    const alone = cases.filter(({ action }) => action.startsWith('kill'));
    const together = cases.filter(({ action }) => !action.startsWith('kill'));
    for (let first = 0; first < together.length; first += sideBySide) {
      const batch = together.slice(first, first + sideBySide);
      await Promise.all(batch.map((each) => tryCase(bench, world, each)));
    }
    for (const [index, each] of alone.entries()) {
      await tryCase(bench, world, each);
      if (index % 20 === 19) await bench.audit(world);
    }
    await bench.audit(world, { previews: true });
  },
};

/** Tries one case; its instance stays for the audit, where it is not deleted by the case itself. */
async function tryCase(bench: Bench, world: World, given: Case): Promise<void> {
  await bench.attempt(nameOf(given), async (broken) => {
    const subject = await openSubject(world, given.operation);
    const change = nextChange(subject, given.operation);
    const operationId = await wish(world, subject, change, given.faults);
    await awaitFaults(world, subject, given);
    broken();
    if (given.action === 'kill service') {
      await world.service.end('SIGKILL');
      await world.service.start();
    }
    const operation = await world.awaitEnd(operationId).catch((error: Error) => {
      throw new Error(`${error.message}${whatWasSaid(world, subject)}`);
    });
    if (operation.status !== 'SUCCEEDED') {
      throw new Error(`${operation.status} ${operation.error?.code}${whatWasSaid(world, subject)}`);
    }
    checkTraces(world, subject, given);
    await checkOutcome(world, subject, change);
    planFaults(world.service.dataDir, subject.id, []);
  });
}

/** The service's warnings about an instance: an answer of the API does not tell them. */
function whatWasSaid(world: World, { id }: Subject): string {
  const lines = world.service.output().split('\n');
  const warnings = lines.filter((line) => line.includes(id) && /"level":[4-6]0/.test(line));
  return warnings.map((line) => `\n    ${line}`).join('');
}

/** Waits until every planned fault was made at its step. @throws when one was never reached. */
async function awaitFaults(world: World, subject: Subject, { faults }: Case): Promise<void> {
  const { dataDir } = world.service;
  const areMade = async (): Promise<true | undefined> => {
    const made = readTraces(dataDir, subject.id).filter(({ action }) => action);
    return made.length === faults.length || undefined;
  };
  const options = { timeoutMs: terminalWithinMs, intervalMs: 10 };
  await pollUntil(areMade, options).catch(() => {
    const steps = readTraces(dataDir, subject.id).map(({ step, when }) => `${when} ${step}`);
    throw new Error(`the step was not reached; there were: ${steps.join(', ')}`);
  });
}

/** The step broke where it was to; one that was broken has been begun again, but for the very last. */
function checkTraces(world: World, subject: Subject, given: Case): void {
  const traces = readTraces(world.service.dataDir, subject.id);
  const brokenAt = traces.findIndex(
    ({ step, when, action }) =>
      step === given.step && when === given.when && action === given.action,
  );
  if (brokenAt < 0) throw new Error('another step was broken');
  const isLast = given.step === 'settle' && given.when === 'after';
  if (isLast || !given.failsTry) return;
  const again = traces.slice(brokenAt).some(({ step, when }) => {
    // What was done already and is seen to be, is left as it is: then the try is what begins again.
    const aim = given.isConditional ? 'stack' : given.step;
    return step === aim && when === 'before';
  });
  if (!again) throw new Error('the broken step was not begun again');
}
