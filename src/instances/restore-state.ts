/** How far a restore of an instance is: asked of its row by all who must not go on past it. */
import type { Instance } from '../store/entities/instance.ts';

/** Whether a backup is still to be loaded. */
export function wantsRestore({
  restoreGeneration,
  appliedGeneration,
}: Pick<Instance, 'restoreGeneration' | 'appliedGeneration'>): boolean {
  return restoreGeneration > appliedGeneration;
}

/**
 * Whether a restore may have changed the data since the instance was last as wanted. Then it is not as it
 * was any more, and nothing but a restore that ends well brings it back.
 */
export function hasBegunRestore({
  restoreBegunGeneration,
  appliedGeneration,
}: Pick<Instance, 'restoreBegunGeneration' | 'appliedGeneration'>): boolean {
  return restoreBegunGeneration > appliedGeneration;
}
