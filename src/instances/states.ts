/**
 * The life of an instance, written out. One function, `nextStep`, decides what is to be done, from the
 * row alone; one file, src/provisioning/transitions.ts, writes what came of it.
 *
 *   (created) ─► PROVISIONING ──apply ok──► RUNNING
 *                     │  ▲                     │
 *              apply  │  │ retry               │ delete
 *              failed ▼  │                     ▼
 *                   FAILED ──────delete──► DELETING ──destroy ok──► DELETED
 *
 * Delete may come at any time; a delete never ends in FAILED, it is tried until nothing is left.
 */
import type { Instance } from '../store/entities/instance.ts';

/** What the reconciler does with an instance next. */
export type Step = 'apply' | 'destroy' | 'none';

type DecidingColumns = Pick<Instance, 'desired' | 'status' | 'generation' | 'appliedGeneration'>;

/** Marks that something new is wanted of an instance: to be begun at once, its tries counted anew. */
export function renewWish(instance: Instance, now: Date): void {
  instance.generation += 1;
  instance.attempts = 0;
  instance.nextAttemptAtMs = 0;
  instance.updatedAt = now;
}

/** Decides the next step from wanted and observed state. */
export function nextStep({
  desired,
  status,
  generation,
  appliedGeneration,
}: DecidingColumns): Step {
  if (desired === 'absent') return status === 'DELETED' ? 'none' : 'destroy';
  if (status === 'FAILED') return 'none';
  return appliedGeneration < generation ? 'apply' : 'none';
}
