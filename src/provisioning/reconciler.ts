/**
 * The reconciler: makes every instance what its row wants.
 *
 * It is woken by use cases and by a timer, claims the rows that are not as wanted, and has a worker run
 * their stacks. Guarantees: it holds a lease on an instance while it works on it and renews it; whatever
 * step a run broke off at, the next try begins with recovery and ends in the same place; a create ends
 * RUNNING or, after a bounded number of tries, FAILED with a reason; a delete is tried until nothing is
 * left. What it observed is written in transitions.ts and nowhere else.
 */
import type { Config } from '../config.ts';
import { listRegions, type Region } from '../instances/regions.ts';
import type { Provisioner } from '../instances/services.ts';
import { nextStep } from '../instances/states.ts';
import type { Clock } from '../lib/clock.ts';
import type { Sealer } from '../lib/crypto.ts';
import { type Logger, maskSecrets } from '../lib/logger.ts';
import { backoffMs, pollUntil } from '../lib/retry.ts';
import type { Orm } from '../store/database.ts';
import { type Instance, InstanceEntity } from '../store/entities/instance.ts';
import type { Operation } from '../store/entities/operation.ts';
import { syncAccess } from './access.ts';
import { connectDocker, removeInstanceObjects } from './docker.ts';
import { explainFailure, type FailureCause } from './failures.ts';
import { passwordPlace, withInstanceRedis } from './instance-redis.ts';
import { type Claim, claimNext, freeDeadLeases, heartbeatMs, renewLease } from './leases.ts';
import type { Phase, StackOutputs, StackValues, WorkerSettings } from './messages.ts';
import { isGoneFromHere, processIdentity } from './process-identity.ts';
import type { RegionStacks } from './regions.ts';
import { purgeStackFiles } from './state-files.ts';
import * as transitions from './transitions.ts';
import { RunError, type WorkerPool } from './worker-pool.ts';

const pollMs = 1_000;
const applyTries = 3;
const applyBackoff = { baseMs: 500, maxMs: 5_000 };
const destroyBackoff = { baseMs: 500, maxMs: 20_000 };
const readyTimeoutMs = 10_000;

/** How far along an operation is when a phase begins, in per cent. */
const progressOfPhase: Readonly<Record<Phase | 'access' | 'clean', number>> = {
  prepare: 5,
  recover: 8,
  volume: 25,
  container: 30,
  settings: 75,
  finish: 85,
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
  /** Told when an instance is gone, so that doors drop what they hold of it. */
  readonly onInstanceGone: (instanceId: string) => void;
}

export interface Reconciler extends Provisioner {
  /** Frees what dead processes held and begins to work. */
  start(): Promise<void>;
  /** Claims nothing more and waits for the work in hand to stop; the pool must be closed beside it. */
  stop(): Promise<void>;
}

/** What one run has in hand. */
interface Work {
  readonly claim: Claim;
  readonly instance: Instance;
  readonly operation: Operation | undefined;
}

export function createReconciler(services: ReconcilerServices): Reconciler {
  const { orm, clock, logger, pool } = services;
  const leases = { orm, clock, owner: processIdentity() };
  const inHand = new Set<Promise<void>>();
  let stopping = false;
  let timer: NodeJS.Timeout | undefined;
  let claiming: Promise<void> | undefined;
  let again = false;

  const fill = async (): Promise<void> => {
    while (!stopping && inHand.size < pool.size) {
      const claim = await claimNext(leases);
      if (!claim) return;
      const work: Promise<void> = reconcile(services, leases, claim, () => stopping).finally(() => {
        inHand.delete(work);
        wake();
      });
      inHand.add(work);
    }
  };
  const wake = (): void => {
    if (stopping) return;
    if (claiming) {
      again = true;
      return;
    }
    claiming = fill()
      .catch((error) => logger.error({ err: error }, 'claiming work failed'))
      .finally(() => {
        claiming = undefined;
        if (again) {
          again = false;
          wake();
        }
      });
  };

  return {
    wake,
    async start() {
      await freeDeadLeases(leases, isGoneFromHere);
      for (const region of listRegions(services.config)) warmRegion(services, region);
      timer = setInterval(wake, pollMs);
      wake();
    },
    async stop() {
      stopping = true;
      clearInterval(timer);
      await claiming;
      await Promise.allSettled(inHand);
    },
  };
}

function warmRegion({ regions, logger }: ReconcilerServices, region: Region): void {
  regions.ensure(region, false).catch((error) => {
    const diagnostics = error instanceof RunError ? error.failure.diagnostics : [String(error)];
    logger.warn({ region: region.region, diagnostics }, 'the region is not ready yet');
  });
}

/** One try at one instance, from the claim to its outcome. Never rejects. */
async function reconcile(
  services: ReconcilerServices,
  leases: Parameters<typeof renewLease>[0],
  claim: Claim,
  isStopping: () => boolean,
): Promise<void> {
  const { orm, logger } = services;
  const heartbeat = setInterval(() => {
    renewLease(leases, claim).catch((error) => logger.warn({ err: error }, 'a heartbeat failed'));
  }, heartbeatMs);
  try {
    const instance = await orm.em.fork().findOneOrFail(InstanceEntity, { id: claim.instanceId });
    const operation = await transitions.beginOperation(services, instance);
    const work = { claim, instance, operation };
    try {
      await takeStep(services, work);
    } catch (error) {
      if (error instanceof transitions.LeaseLost) throw error;
      if (isStopping()) await transitions.postpone(services, claim, 0);
      else await handleFailure(services, work, error);
    }
  } catch (error) {
    // The lease runs out by itself and the next claim recovers.
    logger.error({ err: error, instanceId: claim.instanceId }, 'a try broke off');
  } finally {
    clearInterval(heartbeat);
  }
}

async function takeStep(services: ReconcilerServices, work: Work): Promise<void> {
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
  const { regions, config, pool, logger } = services;
  const { claim, instance, operation } = work;
  const firstTry = claim.attempts === 1;
  const region = requireRegion(config, instance.region);
  const network = await regions.ensure(region, !firstTry);
  const steps = stepRecorder(services, operation);
  const { outputs, timingsMs } = await pool.run(
    {
      kind: 'apply',
      stack: instance.id,
      values: stackValues(services, instance, region, network),
      fresh: firstTry && instance.generation === 1,
      recover: !firstTry,
    },
    steps.begin,
  );
  const provisioned = observe(services, instance, outputs);
  await transitions.recordOutputs(services, claim, provisioned);
  steps.begin('access');
  const reachable = { ...instance, ...provisioned };
  await awaitReady(services, reachable);
  await syncAccess(services, reachable);
  await steps.flushed();
  await transitions.settleApplied(services, claim, instance, operation);
  logger.info({ instanceId: instance.id, timingsMs }, 'instance is running');
}

async function destroy(services: ReconcilerServices, work: Work): Promise<void> {
  const { config, pool, settings, logger, onInstanceGone } = services;
  const { claim, instance, operation } = work;
  const steps = stepRecorder(services, operation);
  const docker = connectDocker(requireRegion(config, instance.region).dockerHost);
  onInstanceGone(instance.id);
  await docker.ping();
  await pool.run({ kind: 'destroy', stack: instance.id, recover: claim.attempts > 1 }, steps.begin);
  steps.begin('clean');
  await removeInstanceObjects(docker, instance.id, new Set());
  purgeStackFiles(settings, instance.id);
  await steps.flushed();
  await transitions.settleDestroyed(services, claim, instance, operation);
  logger.info({ instanceId: instance.id }, 'instance is deleted');
}

function requireRegion(config: Config, id: string): Region {
  const region = listRegions(config).find((candidate) => candidate.region === id);
  if (!region) throw new Error(`the region ${id} is not configured`);
  return region;
}

function stackValues(
  { installationId }: ReconcilerServices,
  instance: Instance,
  region: Region,
  network: string,
): StackValues {
  return {
    'docker:host': region.dockerHost,
    'swiftcache:kind': 'instance',
    'swiftcache:instanceId': instance.id,
    'swiftcache:installationId': installationId,
    'swiftcache:region': instance.region,
    'swiftcache:image': instance.image,
    'swiftcache:network': network,
    'swiftcache:port': instance.nodePort ?? 0,
    'swiftcache:maxMemoryBytes': instance.maxMemoryBytes,
    'swiftcache:evictionPolicy': instance.evictionPolicy,
    'swiftcache:persistence': instance.persistence,
  };
}

/** The stack's outputs as they are recorded, the password sealed. */
function observe(
  { sealer }: ReconcilerServices,
  { id }: Instance,
  { host, port, password }: StackOutputs,
): transitions.ObservedOutputs {
  if (typeof host !== 'string' || typeof port !== 'number' || typeof password !== 'string') {
    throw new Error(`the stack ${id} ended without its outputs`);
  }
  const passwordSealed = sealer.seal(password, passwordPlace(id));
  return { nodeHost: host, nodePort: port, passwordSealed };
}

/** RUNNING means: it answers where its users' commands arrive. */
async function awaitReady({ sealer }: ReconcilerServices, instance: Instance): Promise<void> {
  const ping = async (): Promise<string> => {
    return await withInstanceRedis(sealer, instance, async (redis) => await redis.ping());
  };
  await pollUntil(ping, { timeoutMs: readyTimeoutMs, intervalMs: 25 });
}

async function handleFailure(
  services: ReconcilerServices,
  { claim, instance, operation }: Work,
  error: unknown,
): Promise<void> {
  const cause = explain(error);
  const { attempts } = claim;
  const context = {
    instanceId: instance.id,
    operationId: operation?.id,
    attempts,
    code: cause.code,
  };
  services.logger.warn({ ...context, diagnostics: diagnosticsOf(error) }, 'a run failed');
  if (instance.desired === 'absent') {
    await transitions.postpone(services, claim, backoffMs(attempts, destroyBackoff));
  } else if (cause.transient && attempts < applyTries) {
    await transitions.postpone(services, claim, backoffMs(attempts, applyBackoff));
  } else {
    await transitions.settleFailed(services, claim, instance, operation, cause);
  }
}

function explain(error: unknown): FailureCause {
  const diagnostics = diagnosticsOf(error);
  const timedOut = error instanceof RunError && error.failure.timedOut;
  return explainFailure({ diagnostics, timedOut });
}

function diagnosticsOf(error: unknown): string[] {
  const texts =
    error instanceof RunError
      ? error.failure.diagnostics
      : [error instanceof Error ? error.message : String(error)];
  return texts.map(maskSecrets);
}

/** Records steps in the order they begin, without making the run wait for the database. */
function stepRecorder(
  services: ReconcilerServices,
  operation: Operation | undefined,
): { begin: (phase: Phase | 'access' | 'clean') => void; flushed: () => Promise<void> } {
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
