/**
 * The steps of one try at an instance, by name: recorded in its operation as they begin, and open to a test
 * that wants to know what happens when exactly this step breaks.
 */
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Orm } from '../store/database.ts';
import type { Operation } from '../store/entities/operation.ts';
import type { Phase } from './messages.ts';
import { recordStep } from './transitions.ts';

/** What the reconciler does itself; phases are what a worker does in its place, during `stack`. */
export type Step =
  | Phase
  | 'look'
  | 'start'
  | 'room'
  | 'region'
  | 'stack'
  | 'outputs'
  | 'stop'
  | 'restart'
  | 'restore'
  | 'access'
  | 'clean'
  | 'settle';

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

/** Called around every step of every try, where a test has put one in; what it throws fails the step. */
export interface StepHooks {
  before(step: Step, instanceId: string): Promise<void>;
  after(step: Step, instanceId: string): Promise<void>;
}

export const noHooks: StepHooks = { async before() {}, async after() {} };

export interface Steps {
  /** Does one step. @throws what it throws. */
  run<T>(step: Step, work: () => Promise<T>): Promise<T>;
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
      begin(step);
      await hooks.before(step, instanceId);
      const result = await work();
      await hooks.after(step, instanceId);
      return result;
    },
    flushed: () => chain,
  };
}
