/**
 * The steps of the reconciler: what making an instance real, and what leaving nothing of it, consists of.
 *
 * Every step can run twice and ends in the same place: stacks are desired state, outputs and outcomes are
 * written with the claim's epoch, users and objects are compared before they are changed.
 */
import type { Config } from '../config.ts';
import { listRegions, type Region } from '../instances/regions.ts';
import { nextStep } from '../instances/states.ts';
import type { Clock } from '../lib/clock.ts';
import type { Sealer } from '../lib/crypto.ts';
import type { Logger } from '../lib/logger.ts';
import { pollUntil } from '../lib/retry.ts';
import type { Orm } from '../store/database.ts';
import type { Instance } from '../store/entities/instance.ts';
import type { Operation } from '../store/entities/operation.ts';
import { syncAccess } from './access.ts';
import { connectDocker, removeInstanceObjects, requireDocker } from './docker.ts';
import { passwordPlace, withInstanceRedis } from './instance-redis.ts';
import type { Claim } from './leases.ts';
import type { Phase, StackOutputs, StackValues, WorkerSettings } from './messages.ts';
import type { RegionStacks } from './regions.ts';
import { purgeStackFiles } from './state-files.ts';
import * as transitions from './transitions.ts';
import type { WorkerPool } from './worker-pool.ts';

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
    work.signal,
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
  await requireDocker(docker);
  await pool.run(
    { kind: 'destroy', stack: instance.id, recover: claim.attempts > 1 },
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
