/**
 * One try at an instance, step by step. Which of the two ways it goes, the row alone says (nextStep).
 *
 *   apply    look ─► start? ─► room? ─► region ─► stack ─► outputs ─┬► stop ──────────────────────┬► settle
 *                                                                   └► restart? ─► restore? ─► access ┘
 *   destroy  look ─► stack ─► clean ─► settle
 *
 * `stack` is a worker's: recover? ─► prepare ─► volume ─► container ─► settings ─► finish, or destroy.
 *
 * Guarantees: a try begins at the first step whatever the one before it broke off at, and every step can
 * run twice and ends in the same place: stacks are desired state, outputs and outcomes are written with
 * the claim's epoch, users and objects are compared before they are changed. Only `settle` changes what
 * the instance is said to be, in transitions.ts.
 */
import type Docker from 'dockerode';
import type { Config } from '../config.ts';
import { requireRegion } from '../instances/regions.ts';
import { nextStep } from '../instances/states.ts';
import type { Clock } from '../lib/clock.ts';
import type { Sealer } from '../lib/crypto.ts';
import type { Logger } from '../lib/logger.ts';
import type { Orm } from '../store/database.ts';
import type { Instance } from '../store/entities/instance.ts';
import type { Operation } from '../store/entities/operation.ts';
import type { AccessSync } from './access.ts';
import {
  connectDocker,
  inspectInstance,
  removeInstanceObjects,
  requireDocker,
  restartContainer,
  stopContainer,
} from './docker.ts';
import { awaitReady, hasStartedSince, startInstance } from './instance-power.ts';
import { withInstanceRedis } from './instance-redis.ts';
import type { Claim } from './leases.ts';
import { confirmSettings, makeRoom, needsRoom } from './make-room.ts';
import type { WorkerSettings } from './messages.ts';
import type { RegionStacks } from './regions.ts';
import { readOutputs, stackValues } from './stack-values.ts';
import { purgeStackFiles } from './state-files.ts';
import { createSteps, type StepHooks, type Steps } from './steps.ts';
import * as transitions from './transitions.ts';
import type { JobResult, WorkerPool } from './worker-pool.ts';

export interface ReconcilerServices {
  readonly orm: Orm;
  readonly clock: Clock;
  readonly config: Config;
  readonly logger: Logger;
  readonly sealer: Sealer;
  readonly pool: WorkerPool;
  readonly regions: RegionStacks;
  readonly installationId: string;
  readonly settings: WorkerSettings;
  /** Makes an instance's users those of the database. */
  readonly accessSync: AccessSync;
  readonly hooks: StepHooks;
  /** Told when an instance is gone, so that doors drop what they hold of it. */
  readonly onInstanceGone: (instanceId: string) => void;
}

/** What one run has in hand. */
export interface Work {
  readonly claim: Claim;
  readonly instance: Instance;
  readonly operation: Operation | undefined;
  readonly steps: Steps;
  /** Aborts when another reconciler has taken the lease: the run must stop. */
  readonly signal: AbortSignal;
}

/** Does what the instance's row asks for next, to its outcome. @throws what made it fail. */
export async function takeStep(
  services: ReconcilerServices,
  given: Omit<Work, 'steps'>,
): Promise<void> {
  const { claim, instance, operation } = given;
  const work = { ...given, steps: createSteps(services, instance.id, operation) };
  switch (nextStep(instance)) {
    case 'apply':
      await apply(services, work);
      return;
    case 'destroy':
      await destroy(services, work);
      return;
    case 'none':
      await transitions.settleApplied(services, claim, instance, operation);
  }
}

async function apply(services: ReconcilerServices, work: Work): Promise<void> {
  const { claim, instance, operation, steps } = work;
  const isLost = await prepare(services, work);
  const { outputs, timingsMs } = await runStack(services, work, isLost);
  const provisioned = readOutputs(services.sealer, instance, outputs);
  await steps.run('outputs', () => transitions.recordOutputs(services, claim, provisioned));
  const current = { ...work, instance: { ...instance, ...provisioned } };
  if (instance.power === 'off') await stop(services, current);
  else await open(services, current);
  await steps.flushed();
  await steps.run('settle', () => transitions.settleApplied(services, claim, instance, operation));
  services.logger.info({ instanceId: instance.id, timingsMs }, 'instance is as wanted');
}

/**
 * What an instance that has run before needs first: to run, and to fit into a smaller container. Where its
 * container is on a port that it no longer has, the stack makes another. Gives true where there is none.
 */
async function prepare(services: ReconcilerServices, { instance, steps }: Work): Promise<boolean> {
  if (instance.nodeHost === null) return false;
  const { sealer } = services;
  const docker = dockerOf(services, instance);
  const container = await steps.run('look', async () => {
    await requireDocker(docker);
    return await inspectInstance(docker, instance.id);
  });
  if (!container) return true;
  if (container.hostPort !== instance.nodePort) return false;
  if (!container.isRunning && instance.power === 'off') return false;
  if (!container.isRunning) {
    await steps.run('start', () => startInstance(docker, sealer, instance));
  }
  if (needsRoom(instance, container.memoryBytes)) {
    await steps.run('room', () => makeRoom(sealer, instance));
  }
  return false;
}

async function runStack(
  services: ReconcilerServices,
  { claim, instance, signal, steps }: Work,
  isLost: boolean,
): Promise<JobResult> {
  const firstTry = claim.attempts === 1;
  const region = requireRegion(services.config, instance.region);
  const network = await steps.run('region', () => services.regions.ensure(region, !firstTry));
  const job = {
    kind: 'apply',
    stack: instance.id,
    values: stackValues(services, instance, region, network),
    fresh: firstTry && instance.generation === 1,
    recover: !firstTry || isLost,
    hasData: instance.nodeHost !== null,
  } as const;
  return await steps.run('stack', () => services.pool.run(job, steps.begin, signal));
}

async function stop(services: ReconcilerServices, { instance, steps }: Work): Promise<void> {
  await steps.run('stop', async () => {
    await stopContainer(dockerOf(services, instance), instance.id);
    services.onInstanceGone(instance.id);
  });
}

/** RUNNING means: restarted where that was asked, answering with its settings, and open to its keys. */
async function open(services: ReconcilerServices, work: Work): Promise<void> {
  const { instance, steps } = work;
  if (instance.restartGeneration > instance.appliedGeneration) await restart(services, work);
  await steps.run('access', () => openAccess(services, instance));
}

async function restart(
  services: ReconcilerServices,
  { instance, operation, steps }: Work,
): Promise<void> {
  const docker = dockerOf(services, instance);
  const askedAt = operation?.startedAt ?? instance.updatedAt;
  if (await hasStartedSince(docker, instance, askedAt)) return;
  await steps.run('restart', async () => {
    services.onInstanceGone(instance.id);
    await restartContainer(docker, instance.id);
  });
}

async function openAccess(
  { sealer, accessSync }: ReconcilerServices,
  instance: Instance,
): Promise<void> {
  await awaitReady(sealer, instance);
  // The first run has set what it made; a later one may follow one that broke off.
  if (instance.generation > 1) {
    await withInstanceRedis(sealer, instance, (redis) => confirmSettings(redis, instance));
  }
  await accessSync.sync(instance.id);
}

async function destroy(services: ReconcilerServices, work: Work): Promise<void> {
  const { pool, settings, logger, onInstanceGone } = services;
  const { claim, instance, operation, steps, signal } = work;
  const docker = dockerOf(services, instance);
  onInstanceGone(instance.id);
  await steps.run('look', () => requireDocker(docker));
  const recover = claim.attempts > 1;
  const job = { kind: 'destroy', stack: instance.id, recover, hasData: false } as const;
  await steps.run('stack', () => pool.run(job, steps.begin, signal));
  await steps.run('clean', async () => {
    await removeInstanceObjects(docker, instance.id, new Set());
    purgeStackFiles(settings, instance.id);
  });
  await steps.flushed();
  await steps.run('settle', () =>
    transitions.settleDestroyed(services, claim, instance, operation),
  );
  logger.info({ instanceId: instance.id }, 'instance is deleted');
}

function dockerOf({ config }: ReconcilerServices, { region }: Instance): Docker {
  return connectDocker(requireRegion(config, region).dockerHost);
}
