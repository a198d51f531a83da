/**
 * Writes under a claim: each carries the claim's epoch, and one from an older claim, or one that was given
 * back, changes nothing and throws LeaseLost.
 */
import type { EntityManager } from '../store/database.ts';
import { type Instance, InstanceEntity } from '../store/entities/instance.ts';
import type { Claim } from './leases.ts';

/** Another reconciler holds the instance now: whoever gets this stops and writes nothing more. */
export class LeaseLost extends Error {}

export const released = { leaseOwner: null, leaseExpiresAtMs: 0 } as const;
/** A claim that was given back writes nothing more. */
const held = { leaseOwner: { $ne: null } } as const;

/** The row of a claim, where it is still held and the same is wanted. */
export function stillWanted({ instanceId, epoch }: Claim, generation: number) {
  return { id: instanceId, leaseEpoch: epoch, ...held, generation };
}

/** Gives the lease back and writes the outcome, but for an outcome of what is no longer wanted. */
export async function writeIfStillWanted(
  em: EntityManager,
  claim: Claim,
  generation: number,
  changes: Partial<Instance>,
): Promise<void> {
  const where = stillWanted(claim, generation);
  const changed = await em.nativeUpdate(InstanceEntity, where, { ...changes, ...released });
  if (changed === 0) await writeFenced(em, claim, released);
}

/** Writes whatever is wanted by now. @throws {LeaseLost} */
export async function writeFenced(
  em: EntityManager,
  { instanceId, epoch }: Claim,
  changes: Partial<Instance>,
): Promise<void> {
  const where = { id: instanceId, leaseEpoch: epoch, ...held };
  const changed = await em.nativeUpdate(InstanceEntity, where, changes);
  if (changed === 0) throw new LeaseLost(`the lease of ${instanceId} was taken over`);
}
