/**
 * The steps of the reconciler: what making an instance real, and what leaving nothing of it, consists of.
 *
 * Every step can run twice and ends in the same place: stacks are desired state, outputs and outcomes are
 * written with the claim's epoch, users and objects are compared before they are changed.
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
  stopContainer,
} from './docker.ts';
import { awaitReady, restartOnce, startInstance } from './instance-power.ts';
import { withInstanceRedis } from './instance-redis.ts';
import type { Claim } from './leases.ts';
import { confirmSettings, makeRoom } from './make-room.ts';
import type { Phase, WorkerSettings } from './messages.ts';
import type { RegionStacks } from './regions.ts';
import { readOutputs, stackValues } from './stack-values.ts';
import { purgeStackFiles } from './state-files.ts';
import * as transitions from './transitions.ts';
import type { JobResult, WorkerPool } from './worker-pool.ts';

/** How far along an operation is when a phase begins, in per cent. */
type Step = Phase | 'room' | 'start' | 'stop' | 'restart' | 'access' | 'clean';

const progressOfPhase: Readonly<Record<Step, number>> = {
  room: 3,
  start: 4,
  prepare: 5,
  recover: 8,
  volume: 25,
  container: 30,
  settings: 75,
  finish: 85,
  stop: 87,
  restart: 87,
  access: 90,
  destroy: 20,
  clean: 90,
};

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
  /** Told when an instance is gone, so that doors drop what they hold of it. */
  readonly onInstanceGone: (instanceId: string) => void;
}

/** What one run has in hand. */
export interface Work {
  readonly claim: Claim;
  readonly instance: Instance;
  readonly operation: Operation | undefined;
  /** Aborts when another reconciler has taken the lease: the run must stop. */
  readonly signal: AbortSignal;
}

/** Does what the instance's row asks for next, to its outcome. @throws what made it fail. */
export async function takeStep(services: ReconcilerServices, work: Work): Promise<void> {
  const { claim, instance, operation } = work;
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
  const { claim, instance, operation } = work;
  const steps = stepRecorder(services, operation);
  const isLost = await prepare(services, instance, steps);
  const { outputs, timingsMs } = await runStack(services, work, { steps, isLost });
  const provisioned = readOutputs(services.sealer, instance, outputs);
  await transitions.recordOutputs(services, claim, provisioned);
  const current = { ...work, instance: { ...instance, ...provisioned } };
  if (instance.power === 'off') await stop(services, current, steps);
  else await openAccess(services, current, steps);
  await steps.flushed();
  await transitions.settleApplied(services, claim, instance, operation);
  services.logger.info({ instanceId: instance.id, timingsMs }, 'instance is as wanted');
}

/**
 * What an instance that has run before needs first: to run, and to fit into a smaller container. Where its
 * container is on a port that it no longer has, the stack makes another. Gives true where there is none.
 */
async function prepare(
  services: ReconcilerServices,
  instance: Instance,
  steps: StepRecorder,
): Promise<boolean> {
  if (instance.nodeHost === null) return false;
  const { sealer } = services;
  const docker = dockerOf(services, instance);
  await requireDocker(docker);
  const container = await inspectInstance(docker, instance.id);
  if (!container) return true;
  if (container.hostPort !== instance.nodePort) return false;
  if (!container.isRunning && instance.power === 'off') return false;
  if (!container.isRunning) {
    steps.begin('start');
    await startInstance(docker, sealer, instance);
  }
  await makeRoom(sealer, instance, container.memoryBytes, () => steps.begin('room'));
  return false;
}

async function runStack(
  services: ReconcilerServices,
  { claim, instance, signal }: Work,
  { steps, isLost }: { steps: StepRecorder; isLost: boolean },
): Promise<JobResult> {
  const firstTry = claim.attempts === 1;
  const region = requireRegion(services.config, instance.region);
  const network = await services.regions.ensure(region, !firstTry);
  const job = {
    kind: 'apply',
    stack: instance.id,
    values: stackValues(services, instance, region, network),
    fresh: firstTry && instance.generation === 1,
    recover: !firstTry || isLost,
    hasData: instance.nodeHost !== null,
  } as const;
  return await services.pool.run(job, steps.begin, signal);
}

async function stop(
  services: ReconcilerServices,
  { instance }: Work,
  steps: StepRecorder,
): Promise<void> {
  steps.begin('stop');
  await stopContainer(dockerOf(services, instance), instance.id);
  services.onInstanceGone(instance.id);
}

/** RUNNING means: restarted where that was asked, answering with its settings, and open to its keys. */
async function openAccess(
  services: ReconcilerServices,
  { instance, operation }: Work,
  steps: StepRecorder,
): Promise<void> {
  const { sealer, accessSync, onInstanceGone } = services;
  if (instance.restartGeneration > instance.appliedGeneration) {
    const askedAt = operation?.startedAt ?? instance.updatedAt;
    await restartOnce(dockerOf(services, instance), instance, askedAt, () => {
      steps.begin('restart');
      onInstanceGone(instance.id);
    });
  }
  steps.begin('access');
  await awaitReady(sealer, instance);
  // The first run has set what it made; a later one may follow one that broke off.
  if (instance.generation > 1) {
    await withInstanceRedis(sealer, instance, (redis) => confirmSettings(redis, instance));
  }
  await accessSync.sync(instance.id);
}

async function destroy(services: ReconcilerServices, work: Work): Promise<void> {
  const { pool, settings, logger, onInstanceGone } = services;
  const { claim, instance, operation } = work;
  const steps = stepRecorder(services, operation);
  const docker = dockerOf(services, instance);
  onInstanceGone(instance.id);
  await requireDocker(docker);
  await pool.run(
    { kind: 'destroy', stack: instance.id, recover: claim.attempts > 1, hasData: false },
    steps.begin,
    work.signal,
  );
  steps.begin('clean');
  await removeInstanceObjects(docker, instance.id, new Set());
  purgeStackFiles(settings, instance.id);
  await steps.flushed();
  await transitions.settleDestroyed(services, claim, instance, operation);
  logger.info({ instanceId: instance.id }, 'instance is deleted');
}

function dockerOf({ config }: ReconcilerServices, { region }: Instance): Docker {
  return connectDocker(requireRegion(config, region).dockerHost);
}

interface StepRecorder {
  begin(phase: Step): void;
  flushed(): Promise<void>;
}

/** Records steps in the order they begin, without making the run wait for the database. */
function stepRecorder(
  services: ReconcilerServices,
  operation: Operation | undefined,
): StepRecorder {
  let chain = Promise.resolve();
  return {
    begin(phase) {
      if (!operation) return;
      chain = chain
        .then(() => transitions.recordStep(services, operation, phase, progressOfPhase[phase]))
        .catch((error) => services.logger.warn({ err: error }, 'a step was not recorded'));
    },
    flushed: () => chain,
  };
}
