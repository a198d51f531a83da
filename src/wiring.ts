/**
 * Makes the parts of the service from a configuration and joins them. Nothing here listens for requests or
 * begins to work by itself but the door, whose port the parts must know; service.ts starts and stops them.
 */
import { type Bootstrap, bootstrapOrganization } from './accounts/account-keys.ts';
import { createAccountThrottle } from './accounts/throttle.ts';
import type { Config } from './config.ts';
import { prepareDataDirectory } from './data-directory.ts';
import { createEdge, type Edge } from './edge/edge.ts';
import { createGateway, type Gateway } from './gateway/gateway.ts';
import { createEventStreams } from './http/event-streams.ts';
import type { HttpServices } from './http/route.ts';
import { systemClock } from './lib/clock.ts';
import { createFingerprint, createSealer } from './lib/crypto.ts';
import type { Logger } from './lib/logger.ts';
import { createSampler, type Sampler } from './metrics/sampler.ts';
import { createAccessSync } from './provisioning/access.ts';
import { createAccessControl } from './provisioning/access-control.ts';
import { type AccessSweep, createAccessSweep } from './provisioning/access-sweep.ts';
import { connectDocker } from './provisioning/docker.ts';
import { ensureInstallationId } from './provisioning/installation.ts';
import { createInstanceClients, type InstanceClients } from './provisioning/instance-redis.ts';
import type { WorkerSettings } from './provisioning/messages.ts';
import { createMetricsReader } from './provisioning/metrics-reader.ts';
import {
  createHostCapacity,
  createInstanceRuntime,
  createPreviewer,
} from './provisioning/ports.ts';
import { prepareProject } from './provisioning/project.ts';
import { createReconciler, type Reconciler } from './provisioning/reconciler.ts';
import { createRegionStacks } from './provisioning/regions.ts';
import { noHooks } from './provisioning/steps.ts';
import { createWorkerPool, type WorkerPool } from './provisioning/worker-pool.ts';
import { type EntityManager, type Orm, openDatabase } from './store/database.ts';

export interface Parts {
  readonly bootstrap: Bootstrap;
  readonly door: { readonly host: string; readonly port: number };
  readonly gateway: Gateway;
  readonly edge: Edge;
  readonly pool: WorkerPool;
  readonly clients: InstanceClients;
  readonly reconciler: Reconciler;
  readonly sweep: AccessSweep;
  readonly sampler: Sampler;
  readonly services: HttpServices;
}

/** @throws when the door's port is taken, or the database or data directory cannot be used. */
export async function makeParts(config: Config, logger: Logger): Promise<Parts> {
  const { masterKey } = prepareDataDirectory(config);
  const orm = await openDatabase(config);
  const base = { orm, clock: systemClock, config, logger };
  const bootstrap = await bootstrapOrganization(base, config.bootstrapAccountKey);
  const surfaces = await makeSurfaces(base);
  const sealer = createSealer(masterKey);
  const provisioning = await makeProvisioning(base, sealer, surfaces);
  const sampler = createSampler({ ...base, reader: createMetricsReader(sealer) });
  const { reconciler, previewer, access } = provisioning;
  const services: HttpServices = {
    ...base,
    sealer,
    fingerprint: createFingerprint(masterKey),
    accountThrottle: createAccountThrottle(),
    provisioner: reconciler,
    capacity: createHostCapacity(config, logger),
    runtime: createInstanceRuntime(sealer),
    previewer,
    access,
    metrics: sampler,
    streams: createEventStreams(logger),
    door: () => surfaces.door,
    checkReady: () => checkReady(orm, config),
  };
  return { bootstrap, ...surfaces, ...provisioning, sampler, services };
}

type Base = Pick<HttpServices, 'orm' | 'clock' | 'config' | 'logger'>;
type Surfaces = Awaited<ReturnType<typeof makeSurfaces>>;

async function makeSurfaces({ orm, config, logger }: Base) {
  const gateway = createGateway({ orm, logger });
  const edge = createEdge({ orm, logger });
  const port = await edge.listen({ host: config.host, port: config.redisPort });
  return { gateway, edge, door: { host: config.publicHost, port } };
}

async function makeProvisioning(
  base: Base,
  sealer: HttpServices['sealer'],
  { gateway, edge }: Surfaces,
) {
  const { orm, config, logger } = base;
  const installationId = await ensureInstallationId(orm);
  const clients = createInstanceClients(sealer);
  const accessSync = createAccessSync({ ...base, clients });
  const settings = workerSettings(config);
  const pool = createWorkerPool(config, settings, logger);
  const regions = createRegionStacks(orm, pool, installationId);
  const stacks = { pool, regions, installationId };
  const onInstanceGone = (instanceId: string): void => {
    clients.drop(instanceId);
    gateway.dropInstance(instanceId);
    edge.dropInstance(instanceId);
  };
  const dropKey = (keyId: string, instanceId?: string): void => {
    gateway.dropKey(keyId, instanceId);
    edge.dropKey(keyId, instanceId);
  };
  return {
    pool,
    clients,
    reconciler: createReconciler({
      ...base,
      ...stacks,
      sealer,
      settings,
      accessSync,
      hooks: noHooks,
      onInstanceGone,
    }),
    previewer: createPreviewer({ config, ...stacks }),
    access: createAccessControl({ orm, logger, accessSync, dropKey }),
    sweep: createAccessSweep({ ...base, accessSync, dropKey }),
  };
}

function workerSettings(config: Config): WorkerSettings {
  const project = prepareProject(config);
  return {
    projectDir: project.dir,
    stacksDir: project.stacksDir,
    backendUrl: config.stateBackendUrl,
    passphraseFile: config.passphraseFile,
    pulumiHome: config.pulumi.home,
    pulumiBinDir: config.pulumi.binDir,
    dockerHost: config.dockerHost,
  };
}

async function checkReady(orm: Orm, { dockerHost }: Config): Promise<void> {
  await (orm.em.fork() as EntityManager).getConnection().execute('select 1');
  await connectDocker(dockerHost).ping();
}
