/**
 * The steps of one try at an instance, by name: recorded in its operation as they begin, ended where they
 * hang, and open to a test that wants to know what happens when exactly this step breaks.
 *
 * Guarantees: no step begins after its try has lost the lease or was given up; a step that shows no sign
 * of life for its time (deadlines.ts) fails, and what it left under way writes nothing any more, since the
 * claim it would write with is given back.
 */
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Orm } from '../store/database.ts';
import type { Operation } from '../store/entities/operation.ts';
import { silenceOfStep } from './deadlines.ts';
import { recordStep } from './operation-record.ts';
import type { Step, StepHooks } from './step-hooks.ts';

/**
 * How far along an operation is when a step begins, in per cent. Those that are not here begin and end
 * between two others and are not shown.
 */
const progressOfStep: Readonly<Partial<Record<Step, number>>> = {
  room: 3,
  start: 4,
  prepare: 5,
  recover: 8,
  destroy: 20,
  volume: 25,
  container: 30,
  settings: 75,
  finish: 85,
  stop: 87,
  restart: 87,
  restore: 88,
  access: 90,
  clean: 90,
};

/** A step went on for too long without a sign of life. */
export class StepTimeout extends Error {}

export interface Steps {
  /**
   * Does one step. What may rightly take long calls `alive` meanwhile.
   * @throws what the step throws, or StepTimeout.
   */
  run<T>(step: Step, work: (alive: () => void) => Promise<T>): Promise<T>;
  /** Notes the begin of a step that somebody else does. */
  begin(step: Step): void;
  /** Resolves when everything noted so far is in the database. */
  flushed(): Promise<void>;
}

interface StepServices {
  readonly orm: Orm;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly hooks: StepHooks;
}

/** Records steps in the order they begin, without making the run wait for the database. */
export function createSteps(
  services: StepServices,
  instanceId: string,
  operation: Operation | undefined,
  signal: AbortSignal,
): Steps {
  const { hooks, logger } = services;
  let chain = Promise.resolve();
  const begin = (step: Step): void => {
    const progress = progressOfStep[step];
    if (!operation || progress === undefined) return;
    chain = chain
      .then(() => recordStep(services, operation, step, progress))
      .catch((error) => logger.warn({ err: error }, 'a step was not recorded'));
  };
  return {
    begin,
    async run(step, work) {
      signal.throwIfAborted();
      begin(step);
      return await withinSilence(step, silenceOfStep(step), async (alive) => {
        await hooks.before(step, instanceId);
        signal.throwIfAborted();
        const result = await work(alive);
        await hooks.after(step, instanceId);
        return result;
      });
    },
    flushed: () => chain,
  };
}

/** @throws {StepTimeout} where `work` neither ends nor says that it is alive for as long as it may be silent. */
export async function withinSilence<T>(
  step: Step,
  silenceMs: number,
  work: (alive: () => void) => Promise<T>,
): Promise<T> {
  const { promise: silence, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(new StepTimeout(`${step}: no sign of life for ${silenceMs} ms`));
  }, silenceMs);
  try {
    return await Promise.race([work(() => timer.refresh()), silence]);
  } finally {
    clearTimeout(timer);
  }
}
