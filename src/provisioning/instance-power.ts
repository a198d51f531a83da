/**
 * An instance's container as it runs: started before a stack run, looked at, and
 * waited for until its Redis answers. What the container is made of is the stack's business.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import type { Sealer } from '../lib/crypto.ts';
import type { Instance } from '../store/entities/instance.ts';
import { inspectInstance, startContainer } from './docker.ts';
import { withInstanceRedis } from './instance-redis.ts';

const readyTimeoutMs = 10_000;
/** Redis answers that it loads: a large one takes as long as its data is large. */
const loadTimeoutMs = 10 * 60_000;
const pollMs = 25;
const loadPollMs = 250;

/** Waits as long as Redis says that it loads its data, at most 10 minutes; whatever else it says is told later. */
export async function awaitLoaded(
  sealer: Sealer,
  instance: Instance,
  alive: () => void,
): Promise<void> {
  const lastMs = performance.now() + loadTimeoutMs;
  while ((await isLoading(sealer, instance)) && performance.now() < lastMs) {
    alive();
    await sleep(loadPollMs);
  }
}

async function isLoading(sealer: Sealer, instance: Instance): Promise<boolean> {
  return await withInstanceRedis(sealer, instance, async (redis) => await redis.ping()).then(
    () => false,
    saysLoading,
  );
}

function saysLoading(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('LOADING');
}

/** Starts a stopped container and waits until its Redis answers. */
export async function startInstance(
  docker: Docker,
  sealer: Sealer,
  instance: Instance,
  alive: () => void,
): Promise<void> {
  await startContainer(docker, instance.id);
  await awaitReady(sealer, instance, alive);
}

/** Whether an instance has been started since `since`: a try before this one may have restarted it. */
export async function hasStartedSince(
  docker: Docker,
  instance: Instance,
  since: Date,
): Promise<boolean> {
  const container = await inspectInstance(docker, instance.id);
  return container?.isRunning === true && container.startedAt >= since;
}

/**
 * Waits until Redis answers where its users' commands arrive.
 * @param alive is told that Redis loads its data.
 * @throws what the last try threw, after 10 s of silence, or 10 minutes of loading.
 */
export async function awaitReady(
  sealer: Sealer,
  instance: Instance,
  alive: () => void,
): Promise<void> {
  const lastMs = performance.now() + loadTimeoutMs;
  let deadlineMs = performance.now() + readyTimeoutMs;
  for (;;) {
    try {
      await withInstanceRedis(sealer, instance, async (redis) => await redis.ping());
      return;
    } catch (error) {
      if (saysLoading(error)) {
        deadlineMs = Math.min(performance.now() + readyTimeoutMs, lastMs);
        alive();
      }
      if (performance.now() >= deadlineMs) throw error;
    }
    await sleep(pollMs);
  }
}
