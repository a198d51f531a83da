/**
 * How long anything in provisioning may take before it is ended: all of it, in one place.
 *
 * They are chosen so that after any hang an instance is in a terminal state, or running again, within 60 s:
 * silence is noticed (25 s), the run is ended (5 s), and the next try recovers and runs (10 to 20 s). A run
 * that stops a Redis is left its 30 s to save its data, so after a hang there it takes up to 25 s more.
 */
import type { Step } from './step-hooks.ts';

const secondMs = 1_000;

/** How long Redis may take to save its data before it is killed; as the program's destroyGraceSeconds. */
export const stopGraceSeconds = 30;

export const deadlines = {
  /** A whole stack run, however much it does. */
  runMs: 120 * secondMs,
  /** Waiting for a region's run, with those that are before it. */
  regionMs: 150 * secondMs,
  /** A run without a sign of progress: an event of the engine, or a command of the CLI that began. */
  silenceMs: 25 * secondMs,
  /** The same while the engine stops a container. */
  silenceOfStopMs: (stopGraceSeconds + 20) * secondMs,
  /** The same while a Redis may be loading its data before it takes its settings. */
  silenceOfLoadMs: 35 * secondMs,
  /** From asking the CLI to save its state and end, to killing its worker's process group. */
  interruptGraceMs: 5 * secondMs,
  /** The same when the service stops or is gone, and no one waits for the instance. */
  farewellGraceMs: 15 * secondMs,
  /** From the end of the service to interrupting a run that its worker may finish. */
  orphanFinishMs: 12 * secondMs,
  /** From the end of the service to that of its workers, whatever they do. */
  orphanGraceMs: 20 * secondMs,
  /** Waiting for somebody else's run on the same stack: longer than an orphan may take. */
  lockWaitMs: 22 * secondMs,
  /** Asking whether Docker answers at all. */
  dockerPingMs: 5 * secondMs,
  /** Any other question or order to Docker, streams included: no byte for so long is no answer. */
  dockerSilenceMs: (stopGraceSeconds + 15) * secondMs,
  /** From a stop of the service to giving up what it does itself. */
  handBackMs: 20 * secondMs,
} as const;

/**
 * How long a step of the reconciler may go without a sign of progress. `region` and `stack` wait for a
 * worker, whose runs have deadlines of their own, and are alive as long as the pool watches one.
 */
const stepSilenceMs: Readonly<Partial<Record<Step, number>>> = {
  stop: deadlines.dockerSilenceMs,
  restart: deadlines.dockerSilenceMs,
  clean: deadlines.dockerSilenceMs,
};
const otherStepSilenceMs = 20 * secondMs;

export function silenceOfStep(step: Step): number {
  return stepSilenceMs[step] ?? otherStepSilenceMs;
}
