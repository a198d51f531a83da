/**
 * The last steps before an instance is settled: open to its users, or stopped, as it is wanted.
 *
 * RUNNING means: restarted and restored where that was asked, answering with its settings, and open to its
 * keys. Each step can run twice: a restart is done once, a restore ends with the backup's data.
 */
import type Docker from 'dockerode';
import { writeLiveSettings } from '../../infra/live-settings.ts';
import { wantsRestore } from '../instances/restore-state.ts';
import { servesData } from '../instances/states.ts';
import type { Clock } from '../lib/clock.ts';
import type { Sealer } from '../lib/crypto.ts';
import type { Instance } from '../store/entities/instance.ts';
import type { Operation } from '../store/entities/operation.ts';
import type { AccessSync } from './access.ts';
import { restoreData } from './backups/restore-data.ts';
import { restartContainer, stopContainer } from './docker.ts';
import { awaitReady, hasStartedSince } from './instance-power.ts';
import { withInstanceRedis } from './instance-redis.ts';
import type { Claim } from './leases.ts';
import type { Steps } from './steps.ts';
import { recordAsked } from './transitions.ts';

/** For an append-only file that Redis writes anew. */
const writeTimeoutMs = 10 * 60_000;

type RestoreServices = Parameters<typeof restoreData>[0];

export interface OpeningServices extends RestoreServices {
  readonly clock: Clock;
  readonly sealer: Sealer;
  readonly accessSync: AccessSync;
  readonly onInstanceGone: (instanceId: string) => void;
}

export interface Opening {
  readonly claim: Claim;
  readonly instance: Instance;
  readonly operation: Operation | undefined;
  readonly steps: Steps;
  readonly signal: AbortSignal;
  readonly holdsLease: () => Promise<boolean>;
}

/** Stops the container and drops every connection to it. */
export async function closeInstance(
  services: OpeningServices,
  docker: Docker,
  { instance, steps }: Opening,
): Promise<void> {
  await steps.run('stop', async () => {
    await stopContainer(docker, instance.id);
    services.onInstanceGone(instance.id);
  });
}

/**
 * Restarts and restores where that was asked, waits until Redis answers, and lets its keys in.
 * @returns false where the lease was given back, since something newer is wanted than the restore.
 */
export async function openInstance(
  services: OpeningServices,
  docker: Docker,
  work: Opening,
): Promise<boolean> {
  const { instance, steps } = work;
  if (instance.restartGeneration > instance.appliedGeneration)
    await restart(services, docker, work);
  if (wantsRestore(instance) && !(await restore(services, docker, work))) return false;
  await steps.run('access', (alive) => openAccess(services, instance, alive));
  return true;
}

async function restart(
  services: OpeningServices,
  docker: Docker,
  { claim, instance, operation, steps }: Opening,
): Promise<void> {
  const askedAt = operation?.startedAt ?? instance.updatedAt;
  await steps.run('restart', async () => {
    // No earlier try can have done it before the first: clocks, which may be set back, are not asked.
    if (claim.attempts > 1 && (await hasStartedSince(docker, instance, askedAt))) return;
    services.onInstanceGone(instance.id);
    await restartContainer(docker, instance.id);
  });
}

async function restore(services: OpeningServices, docker: Docker, work: Opening): Promise<boolean> {
  const { instance, steps, signal, holdsLease } = work;
  const onBegin = async (): Promise<boolean> => {
    const isBegun = await beginRestore(services, work);
    if (isBegun) services.onInstanceGone(instance.id);
    return isBegun;
  };
  return await steps.run('restore', (alive) =>
    restoreData(services, instance, { docker, signal, alive, onBegin, holdsLease }),
  );
}

/**
 * Writes down that the restore changes the data from now on, for which the instance leaves its service.
 * @returns false where the lease was given back, since something newer is wanted by now.
 */
export async function beginRestore(
  services: OpeningServices,
  { claim, instance }: Opening,
): Promise<boolean> {
  const { status, restoreGeneration: restoreBegunGeneration } = instance;
  const changes = {
    restoreBegunGeneration,
    status: servesData(status) ? ('RESTARTING' as const) : status,
  };
  const isBegun = await recordAsked(services, claim, instance, changes);
  if (isBegun) Object.assign(instance, changes);
  return isBegun;
}

async function openAccess(
  { sealer, accessSync }: OpeningServices,
  instance: Instance,
  alive: () => void,
): Promise<void> {
  await awaitReady(sealer, instance, alive);
  // The first run has set what it made; a later one may follow one that broke off.
  if (instance.generation > 1) {
    await withInstanceRedis(sealer, instance, (redis) =>
      writeLiveSettings(redis, instance, { timeoutMs: writeTimeoutMs, onWriting: alive }),
    );
  }
  await accessSync.sync(instance.id);
}
