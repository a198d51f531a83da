/**
 * The life of an instance, written out. One function, `nextStep`, decides what is to be done, from the
 * row alone; one file, src/provisioning/transitions.ts, writes what came of it.
 *
 *   (created) ─► PROVISIONING ──applied──► RUNNING ──stop──► STOPPING ──applied──► STOPPED
 *                  │     ▲                 │ ▲ ▲ │                                   │
 *            gave  │     │ retry           │ │ │ └──restart──► RESTARTING ─┐        │ start
 *            up    ▼     │        update ──┘ │ └─────────applied───────────┘        ▼
 *                 FAILED ◄───────────────────┴──────────applied──────────────── STARTING
 *
 * What differs from the records makes a RUNNING instance DEGRADED, and what mends it RUNNING again; it
 * serves as far as its Redis does, and takes every wish that a RUNNING one takes.
 *
 * An update or a repair keeps an instance RUNNING, DEGRADED or STOPPED; one that is given up leaves it so, with
 * the reason in `failure`, and watched. Any other wish that is given up ends in FAILED. Delete may come at any time, from every
 * state: DELETING ─► DELETED. A delete is never given up, it is tried until nothing is left.
 */
import type { Instance, InstanceStatus } from '../store/entities/instance.ts';

/** What the reconciler does with an instance next. */
export type Step = 'apply' | 'destroy' | 'none';

/** The states in which an instance's Redis is meant to answer. */
export const servingStatuses = ['RUNNING', 'DEGRADED'] as const satisfies InstanceStatus[];

/** Whether an instance's Redis is meant to answer. */
export function servesData(status: InstanceStatus): boolean {
  return (servingStatuses as readonly InstanceStatus[]).includes(status);
}

/** The states that a wish does not leave, so that one that is given up leaves the instance in them. */
export const stayingStatuses = [...servingStatuses, 'STOPPED'] as const satisfies InstanceStatus[];

/** Whether an instance stays in its state when what was wanted of it in that state is given up. */
export function staysAsItIs(status: InstanceStatus): boolean {
  return (stayingStatuses as readonly InstanceStatus[]).includes(status);
}

type DecidingColumns = Pick<
  Instance,
  'desired' | 'status' | 'generation' | 'appliedGeneration' | 'failedGeneration'
>;

/** Marks that something new is wanted of an instance: to be begun at once, its tries counted anew. */
export function renewWish(instance: Instance, now: Date): void {
  instance.generation += 1;
  instance.attempts = 0;
  instance.nextAttemptAtMs = 0;
  instance.updatedAt = now;
  instance.failureCode = null;
  instance.failureMessage = null;
}

/** Decides the next step from wanted and observed state. */
export function nextStep(instance: DecidingColumns): Step {
  const { desired, status, generation, appliedGeneration } = instance;
  if (desired === 'absent') return status === 'DELETED' ? 'none' : 'destroy';
  return appliedGeneration < generation && !isGivenUp(instance) ? 'apply' : 'none';
}

/** Whether the latest wish was tried in vain: then `retry` wishes the same anew. */
export function isGivenUp({
  generation,
  failedGeneration,
}: Pick<Instance, 'generation' | 'failedGeneration'>): boolean {
  return failedGeneration === generation;
}
