/**
 * One try at an instance, step by step. Which of the two ways it goes, the row alone says (nextStep).
 *
 *   apply    adopt ─► look ─► start? ─► room? ─► region ─► stack ─► outputs ─┐
 *            ┌────────────────────────────────────────────────────────────────┘
 *            ├► stop ─────────────────────────────┬► settle
 *            └► restart? ─► restore? ─► access ───┘
 *   destroy  look ─► stack ─► clean ─► settle
 *
 * `adopt` takes in what an operator made with Pulumi meanwhile, and remembers what is asked for.
 * `stack` is a worker's: recover? ─► prepare ─► volume ─► container ─► settings ─► finish, or destroy.
 *
 * Guarantees: a try begins at the first step whatever the one before it broke off at, and every step can
 * run twice and ends in the same place: stacks are desired state, outputs and outcomes are written with
 * the claim's epoch, users and objects are compared before they are changed. Only `adopt` and `settle`
 * change what the instance is said to be, in transitions.ts.
 */
import type Docker from 'dockerode';
import type { BackupVault } from '../backups/services.ts';
import type { Config } from '../config.ts';
import { needsRefresh } from '../instances/drift.ts';
import { requireRegion } from '../instances/regions.ts';
import { nextStep } from '../instances/states.ts';
import type { Clock } from '../lib/clock.ts';
import type { Sealer } from '../lib/crypto.ts';
import type { Logger } from '../lib/logger.ts';
import type { Orm } from '../store/database.ts';
import type { Instance } from '../store/entities/instance.ts';
import type { Operation } from '../store/entities/operation.ts';
import type { AccessSync } from './access.ts';
import { rememberStack, runAsSeen } from './as-seen.ts';
import { deadlines } from './deadlines.ts';
import {
  connectDocker,
  inspectInstance,
  removeInstanceObjects,
  requireDocker,
  unpauseContainer,
} from './docker.ts';
import { awaitLoaded, startInstance } from './instance-power.ts';
import { passwordPlace } from './instance-redis.ts';
import type { Claim } from './leases.ts';
import { requireData } from './lost-data.ts';
import { makeRoom, needsRoom } from './make-room.ts';
import type { Job, WorkerSettings } from './messages.ts';
import { closeInstance, openInstance } from './opening.ts';
import { adoptBeforeRun, requireUnlocked } from './operators/adoption.ts';
import type { StackStates } from './operators/stack-state.ts';
import type { RegionStacks } from './regions.ts';
import { readOutputs, stackValues } from './stack-values.ts';
import { purgeStackFiles } from './state-files.ts';
import type { StepHooks } from './step-hooks.ts';
import { createSteps, type Steps } from './steps.ts';
import * as transitions from './transitions.ts';
import type { JobResult, WorkerPool } from './worker-pool.ts';

/** After so many, a delete no longer asks Pulumi: what cannot be destroyed is removed by label. */
const destroyTriesMax = 4;

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
  /** Backups to restore from, and this process's identity, for what it holds beside leases. */
  readonly vault: BackupVault;
  readonly holder: string;
  /** What the stacks' state says that operators made. */
  readonly states: StackStates;
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
  /** Aborts when the lease is lost or was given back: the try must stop. */
  readonly signal: AbortSignal;
  /** Whether the lease is still held, asked of the database. */
  readonly holdsLease: () => Promise<boolean>;
}

/** Does what the instance's row asks for next, to its outcome. @throws what made it fail. */
export async function takeStep(
  services: ReconcilerServices,
  given: Omit<Work, 'steps'>,
): Promise<void> {
  const { claim, instance, operation } = given;
  const work = { ...given, steps: createSteps(services, instance.id, operation, given.signal) };
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
  const sight = await rememberStack(services, instance);
  const isToRun = await steps.run('adopt', () => adoptBeforeRun(services, claim, instance));
  if (!isToRun) return;
  const docker = dockerOf(services, instance);
  if (!(await requireData(services, docker, work))) return;
  const isLost = await prepare(services, work);
  const { configSeen } = sight;
  const { outputs, timingsMs } = await runAsSeen(sight, work.holdsLease, (holdsLease) =>
    runStack(services, { ...work, holdsLease }, { isLost, configSeen }),
  );
  const provisioned = readOutputs(services.sealer, instance, outputs);
  await steps.run('outputs', () => transitions.recordOutputs(services, claim, provisioned));
  const current = { ...work, instance: { ...instance, ...provisioned } };
  if (instance.power === 'off') await closeInstance(services, docker, current);
  else if (!(await openInstance(services, docker, current))) return;
  await steps.run('settle', async () => {
    await steps.flushed();
    await transitions.settleApplied(services, claim, instance, operation);
  });
  services.logger.info({ instanceId: instance.id, timingsMs }, 'instance is as wanted');
}

/**
 * What an instance that has run before needs first: to run, and to fit into a smaller container. Where its
 * container is on a port that it no longer has, the stack makes another. Gives true where there is none.
 */
async function prepare(services: ReconcilerServices, work: Work): Promise<boolean> {
  const { claim, instance, steps } = work;
  const { sealer } = services;
  const docker = dockerOf(services, instance);
  const hasRun = instance.nodeHost !== null;
  const container = await steps.run('look', async () => {
    // No run is begun on a Docker that is away.
    await requireDocker(docker);
    return hasRun ? await inspectInstance(docker, instance.id) : undefined;
  });
  if (!hasRun) return false;
  if (!container) return true;
  if (container.isPaused) {
    await steps.run('start', () => unpauseContainer(docker, instance.id));
  }
  // A failed upgrade goes back: what it left behind is replaced, whether it can be started or not.
  if (container.image !== instance.image && instance.image === instance.appliedImage) return true;
  if (container.hostPort !== instance.nodePort) return false;
  if (!container.isRunning && instance.power === 'off') return false;
  if (!container.isRunning) {
    await steps.run('start', (alive) => startInstance(docker, sealer, instance, alive));
  } else if (claim.attempts > 1 && instance.power === 'on') {
    // A large one that the try before has started is waited for here, where it keeps no worker.
    await steps.run('start', (alive) => awaitLoaded(sealer, instance, alive));
  }
  if (needsRoom(instance, container.memoryBytes)) {
    await steps.run('room', () => makeRoom(sealer, instance));
  }
  return false;
}

async function runStack(
  services: ReconcilerServices,
  work: Work,
  { isLost, configSeen }: { isLost: boolean; configSeen: string | undefined },
): Promise<JobResult> {
  const { claim, instance, steps } = work;
  const firstTry = claim.attempts === 1;
  const region = requireRegion(services.config, instance.region);
  const network = await steps.run('region', (alive) =>
    waitFor(services.regions.ensure(region, !firstTry), alive),
  );
  const job = {
    kind: 'apply',
    stack: instance.id,
    values: stackValues(services, instance, region, network),
    fresh: firstTry && instance.generation === 1,
    recover:
      !firstTry || isLost || needsRefresh(instance.drift) || services.states.hasLock(instance.id),
    ...(configSeen !== undefined && { configSeen }),
    hasData: instance.nodeHost !== null,
    ...knownPassword(services.sealer, instance),
  } as const;
  return await runJob(services, work, job);
}

/** A run for the region is shared with others and has deadlines of its own. */
async function waitFor<T>(run: Promise<T>, alive: () => void): Promise<T> {
  const beat = setInterval(alive, 1_000);
  const end = setTimeout(() => clearInterval(beat), deadlines.regionMs);
  try {
    return await run;
  } finally {
    clearInterval(beat);
    clearTimeout(end);
  }
}

/** What a stack needs that must be made anew around a volume with data. */
function knownPassword(sealer: Sealer, { id, passwordSealed }: Instance): { password?: string } {
  return passwordSealed ? { password: sealer.open(passwordSealed, passwordPlace(id)) } : {};
}

async function runJob(
  { pool }: ReconcilerServices,
  { signal, steps, holdsLease: mayBegin }: Work,
  job: Job,
): Promise<JobResult> {
  return await steps.run('stack', (onAlive) =>
    pool.run(job, steps.begin, { signal, mayBegin, onAlive }),
  );
}

async function destroy(services: ReconcilerServices, work: Work): Promise<void> {
  const { settings, logger, onInstanceGone } = services;
  const { claim, instance, operation, steps } = work;
  const docker = dockerOf(services, instance);
  onInstanceGone(instance.id);
  await steps.run('look', async () => {
    requireUnlocked(services, instance.id);
    await requireDocker(docker);
  });
  const recover = claim.attempts > 1 || services.states.hasLock(instance.id);
  const forget = claim.attempts > destroyTriesMax;
  const job = { kind: 'destroy', stack: instance.id, recover, hasData: false, forget } as const;
  await runJob(services, work, job);
  await steps.run('clean', async () => {
    await removeInstanceObjects(docker, instance.id, new Set());
    purgeStackFiles(settings, instance.id);
  });
  await steps.run('settle', async () => {
    await steps.flushed();
    await transitions.settleDestroyed(services, claim, instance, operation);
  });
  logger.info({ instanceId: instance.id }, 'instance is deleted');
}

export function dockerOf(
  { config }: Pick<ReconcilerServices, 'config'>,
  { region }: Instance,
): Docker {
  return connectDocker(requireRegion(config, region).dockerHost);
}
