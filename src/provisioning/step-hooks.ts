/**
 * The names of the steps of a try, and where a test may break them.
 *
 * The service runs with noHooks. A test starts it by an entry of its own, with hooks around the service's
 * own steps (`startService(config, logger, { hooks, workerFile })`) and, in a worker file of its own, around
 * the worker's phases (`runWorker({ hooks })`). What a hook throws fails the step; what it never ends, hangs.
 */
import type { Phase } from './messages.ts';

/** What the reconciler does itself; phases are what a worker does in its place, during `stack`. */
export type Step =
  | Phase
  | 'adopt'
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
 * Called around every step of every try, with the stack's name (an instance's or a region's). Of what the
 * engine does (volume, container, settings) the hooks follow its events: `before` when it begins, `after`
 * when it has ended well.
 */
export interface StepHooks {
  before(step: Step, stack: string): Promise<void>;
  after(step: Step, stack: string): Promise<void>;
}

export const noHooks: StepHooks = { async before() {}, async after() {} };
