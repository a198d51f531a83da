/**
 * Upgrading a fleet: one instance after another, small ones first, on the database beside the service.
 *
 * Guarantees: the next instance is touched only once the one before runs on the new image and its Redis
 * has answered; at the first that does not, nothing more is begun, and that one is back on its old image
 * as far as it could be. What its owner stops, deletes or changes meanwhile is left, and stops nothing. Run
 * again, it goes on where it stopped; run with the old image, it goes back.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { operatorCaller } from '../accounts/caller.ts';
import { AppError } from '../lib/errors.ts';
import type { EntityManager, Orm } from '../store/database.ts';
import { type Instance, InstanceEntity } from '../store/entities/instance.ts';
import { OperationEntity } from '../store/entities/operation.ts';
import type { InstanceServices } from './services.ts';
import { isGivenUp } from './states.ts';
import { upgradeInstance } from './upgrade-instance.ts';

const pollMs = 200;
/** A run is stopped long before; a large instance loads its data for minutes. */
const settleTimeoutMs = 20 * 60_000;
/** What a wish is refused for in passing: the plan's places are taken, or the row changed at this moment. */
const passingCodes: readonly string[] = ['too_many_operations', 'state_conflict', 'not_found'];
const retryMs = 1_000;
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
 * @returns why it was left after all: its owner did something else with it. Undefined where it was upgraded.
 * @throws {FleetStopped} when it does not answer; it has been taken back by then, or the message says otherwise.
 */
export async function upgradeMember(
  services: FleetServices,
  { instance: { id } }: FleetMember,
  image: string,
): Promise<string | undefined> {
  const { orm, runtime } = services;
  // The plan may be hours old.
  const left = await wishUpgrade(services, id, image);
  if (left !== undefined) return left;
  const settled = await awaitSettled(orm, id);
  const { desired, status, appliedImage, failureMessage } = settled;
  if (desired === 'absent') return 'it is being deleted';
  if (status !== 'RUNNING' || appliedImage !== image) {
    if (await isSuperseded(orm, id)) return `its owner wanted something else; it is ${status}`;
    const place = appliedImage === image ? 'has the new image' : 'is back on its old image';
    throw new FleetStopped(`${failureMessage ?? 'It did not run.'} It ${place} and is ${status}.`);
  }
  try {
    await runtime.readUsedMemory(settled);
  } catch (error) {
    const now = await readInstance(orm, id);
    if (now.generation !== settled.generation) return 'its owner wanted something else';
    throw new FleetStopped('It has the new image, but its Redis does not answer.', {
      cause: error,
    });
  }
  return undefined;
}

/** Wishes the image, once there is room for one more operation. @returns why not, where not. */
async function wishUpgrade(
  services: FleetServices,
  id: string,
  image: string,
): Promise<string | undefined> {
  const startedMs = performance.now();
  for (;;) {
    const instance = await readInstance(services.orm, id);
    const left = whyLeft(instance, image);
    if (left !== undefined) return left;
    // A wish for this image that an earlier run left behind is waited for, not made again.
    if (instance.image === image) return undefined;
    try {
      await upgradeInstance(services, operatorCaller(instance.organizationId), id, image);
      return undefined;
    } catch (error) {
      const code = error instanceof AppError ? error.code : undefined;
      const isLate = performance.now() - startedMs > settleTimeoutMs;
      if (!passingCodes.includes(code ?? '') || isLate) throw error;
    }
    await sleep(retryMs);
  }
}

/** Whether somebody's newer wish took the place of the last upgrade. */
async function isSuperseded(orm: Orm, instanceId: string): Promise<boolean> {
  const orderBy = { createdAt: 'desc', id: 'desc' } as const;
  const upgrade = { instanceId, kind: 'upgrade' as const };
  const last = await orm.em.fork().findOne(OperationEntity, upgrade, { orderBy });
  return last?.status === 'SUPERSEDED';
}

async function readInstance(orm: Orm, id: string): Promise<Instance> {
  return await (orm.em.fork() as EntityManager).findOneOrFail(InstanceEntity, { id });
}

/** Waits until what is wanted of an instance is real, was given up, or is that it be gone. */
async function awaitSettled(orm: Orm, id: string): Promise<Instance> {
  const startedMs = performance.now();
  for (;;) {
    const instance = await readInstance(orm, id);
    const { desired, generation, appliedGeneration, leaseOwner, attempts } = instance;
    const isSettled = appliedGeneration === generation || isGivenUp(instance);
    if (isSettled || desired === 'absent') return instance;
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
