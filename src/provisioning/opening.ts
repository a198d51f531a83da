/**
 * The last steps before an instance is settled: open to its users, or stopped, as it is wanted.
 *
 * RUNNING means: restarted and restored where that was asked, answering with its settings, and open to its
 * keys. Each step can run twice: a restart is done once, a restore ends with the backup's data.
 */
import type Docker from 'dockerode';
import type { Sealer } from '../lib/crypto.ts';
import type { Instance } from '../store/entities/instance.ts';
import type { Operation } from '../store/entities/operation.ts';
import type { AccessSync } from './access.ts';
import { restoreData } from './backups/restore-data.ts';
import { restartContainer, stopContainer } from './docker.ts';
import { awaitReady, hasStartedSince } from './instance-power.ts';
import { withInstanceRedis } from './instance-redis.ts';
import { confirmSettings } from './make-room.ts';
import type { Steps } from './steps.ts';

type RestoreServices = Parameters<typeof restoreData>[0];

interface OpeningServices extends RestoreServices {
  readonly sealer: Sealer;
  readonly accessSync: AccessSync;
  readonly onInstanceGone: (instanceId: string) => void;
}

interface Opening {
  readonly instance: Instance;
  readonly operation: Operation | undefined;
  readonly steps: Steps;
  readonly signal: AbortSignal;
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

/** Restarts and restores where that was asked, waits until Redis answers, and lets its keys in. */
export async function openInstance(
  services: OpeningServices,
  docker: Docker,
  work: Opening,
): Promise<void> {
  const { instance, steps } = work;
  if (instance.restartGeneration > instance.appliedGeneration)
    await restart(services, docker, work);
  if (instance.restoreGeneration > instance.appliedGeneration)
    await restore(services, docker, work);
  await steps.run('access', (alive) => openAccess(services, instance, alive));
}

async function restart(
  services: OpeningServices,
  docker: Docker,
  { instance, operation, steps }: Opening,
): Promise<void> {
  const askedAt = operation?.startedAt ?? instance.updatedAt;
  await steps.run('restart', async () => {
    if (await hasStartedSince(docker, instance, askedAt)) return;
    services.onInstanceGone(instance.id);
    await restartContainer(docker, instance.id);
  });
}

async function restore(
  services: OpeningServices,
  docker: Docker,
  { instance, steps, signal }: Opening,
): Promise<void> {
  await steps.run('restore', (alive) =>
    restoreData(services, instance, {
      docker,
      signal,
      alive,
      onStop: () => services.onInstanceGone(instance.id),
    }),
  );
}

async function openAccess(
  { sealer, accessSync }: OpeningServices,
  instance: Instance,
  alive: () => void,
): Promise<void> {
  await awaitReady(sealer, instance, alive);
  // The first run has set what it made; a later one may follow one that broke off.
  if (instance.generation > 1) {
    await withInstanceRedis(sealer, instance, (redis) => confirmSettings(redis, instance));
  }
  await accessSync.sync(instance.id);
}
