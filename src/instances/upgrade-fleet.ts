/**
 * Upgrading a fleet: one instance after another, small ones first, on the database beside the service.
 *
 * Guarantees: the next instance is touched only once the one before runs on the new image and its Redis
 * has answered; at the first that does not, nothing more is begun, and that one is back on its old image
 * as far as it could be. Run again, it goes on where it stopped; run with the old image, it goes back.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { operatorCaller } from '../accounts/caller.ts';
import type { EntityManager, Orm } from '../store/database.ts';
import { type Instance, InstanceEntity } from '../store/entities/instance.ts';
import type { InstanceServices } from './services.ts';
import { isGivenUp } from './states.ts';
import { upgradeInstance } from './upgrade-instance.ts';

const pollMs = 200;
/** A run is stopped long before; a large instance loads its data for minutes. */
const settleTimeoutMs = 20 * 60_000;
/** How long a wish may lie there before it is said that no service works on it. */
const pickUpTimeoutMs = 60_000;

export type FleetServices = Pick<
  InstanceServices,
  'orm' | 'clock' | 'config' | 'provisioner' | 'runtime'
>;

export interface FleetMember {
  readonly instance: Instance;
  /** Why it is left as it is; undefined where it is to be upgraded. */
  readonly leftBecause: string | undefined;
}

/** An instance that did not come to run on the new image, in words for the operator. */
export class FleetStopped extends Error {}

/**
 * Every live instance in the order it would be taken: by memory, then by age.
 * @param only ids to restrict it to; all where undefined. @throws for an id that is not there.
 */
export async function planFleet(
  orm: Orm,
  image: string,
  only: readonly string[] | undefined,
): Promise<FleetMember[]> {
  const live = { status: { $ne: 'DELETED' as const }, ...(only && { id: { $in: [...only] } }) };
  const orderBy = { maxMemoryBytes: 1, createdAt: 1, id: 1 } as const;
  const instances = await orm.em.fork().find(InstanceEntity, live, { orderBy });
  const missing = only?.filter((id) => !instances.some((instance) => instance.id === id)) ?? [];
  if (missing.length > 0) throw new Error(`There is no instance ${missing.join(', ')}.`);
  return instances.map((instance) => ({ instance, leftBecause: whyLeft(instance, image) }));
}

function whyLeft(instance: Instance, image: string): string | undefined {
  if (instance.desired === 'absent') return 'it is being deleted';
  if (instance.status !== 'RUNNING') return `it is ${instance.status}`;
  return instance.image === image && instance.appliedImage === image
    ? 'it has the image already'
    : undefined;
}

/**
 * Takes one instance to an image and waits until it runs there and answers.
 * @throws {FleetStopped} when it does not; it has been taken back by then, or the message says otherwise.
 */
export async function upgradeMember(
  services: FleetServices,
  { instance }: FleetMember,
  image: string,
): Promise<void> {
  const { id, organizationId } = instance;
  // A wish for this image that an earlier run left behind is waited for, not made again.
  if (instance.image !== image) {
    await upgradeInstance(services, operatorCaller(organizationId), id, image);
  }
  const settled = await awaitSettled(services.orm, id);
  const { status, appliedImage, failureMessage } = settled;
  if (status !== 'RUNNING' || appliedImage !== image) {
    const place = appliedImage === image ? 'has the new image' : 'is back on its old image';
    throw new FleetStopped(`${failureMessage ?? 'It did not run.'} It ${place} and is ${status}.`);
  }
  try {
    await services.runtime.readUsedMemory(settled);
  } catch (error) {
    throw new FleetStopped('It has the new image, but its Redis does not answer.', {
      cause: error,
    });
  }
}

/** Waits until what is wanted of an instance is real, or was given up. */
async function awaitSettled(orm: Orm, id: string): Promise<Instance> {
  const startedMs = performance.now();
  for (;;) {
    const em = orm.em.fork() as EntityManager;
    const instance = await em.findOneOrFail(InstanceEntity, { id });
    const { generation, appliedGeneration, leaseOwner, attempts } = instance;
    if (appliedGeneration === generation || isGivenUp(instance)) return instance;
    const waitedMs = performance.now() - startedMs;
    if (waitedMs > pickUpTimeoutMs && leaseOwner === null && attempts === 0) {
      throw new FleetStopped(
        'No service works on it: is it running? It will do so when it starts.',
      );
    }
    if (waitedMs > settleTimeoutMs) throw new FleetStopped('It did not end in time.');
    await sleep(pollMs);
  }
}
