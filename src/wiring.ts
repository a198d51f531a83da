/**
 * Makes the parts of the service from a configuration and joins them: those that the process's roles need.
 * Nothing here listens for requests or begins to work by itself but the door, whose port the parts must
 * know; service.ts starts and stops them.
 */
import type { Bootstrap } from './accounts/account-keys.ts';
import { createAccountThrottle } from './accounts/throttle.ts';
import type { BackupVault } from './backups/services.ts';
import type { Config, ServiceRole } from './config.ts';
import { prepareDataDirectory } from './data-directory.ts';
import type { DutyServices } from './duties/duties.ts';
import { createEdge, type Edge } from './edge/edge.ts';
import { prepareInstallation } from './first-start.ts';
import { createGateway, type Gateway, type GatewaySettings } from './gateway/gateway.ts';
import { createDatabasePorts } from './gateway/ports.ts';
import { createGatewayProcesses, type GatewayProcesses } from './gateway-processes.ts';
import { createEventStreams } from './http/event-streams.ts';
import type { HttpServices, ShownDoor } from './http/route.ts';
import { systemClock } from './lib/clock.ts';
import { createFingerprint, createSealer } from './lib/crypto.ts';
import type { Logger } from './lib/logger.ts';
import { createFileSealer } from './lib/sealed-file.ts';
import { createSampler, type Sampler } from './metrics/sampler.ts';
import { type AccessSync, createAccessSync } from './provisioning/access.ts';
import { createAccessControl } from './provisioning/access-control.ts';
import { createBackupRunner, type StartedBackupRunner } from './provisioning/backups/runner.ts';
import { createVault, openObjectStore } from './provisioning/backups/vault.ts';
import { connectDocker, requireDocker } from './provisioning/docker.ts';
import type { DriftServices } from './provisioning/drift/watch.ts';
import { createInstanceClients, type InstanceClients } from './provisioning/instance-redis.ts';
import { createLazyPool } from './provisioning/lazy-pool.ts';
import type { WorkerSettings } from './provisioning/messages.ts';
import { createMetricsReader } from './provisioning/metrics-reader.ts';
import { type AdoptionServices, adoptFromStack } from './provisioning/operators/adoption.ts';
import { createPatientAdoption } from './provisioning/operators/patient-adoption.ts';
import { createStackStates } from './provisioning/operators/stack-state.ts';
import {
  createHostCapacity,
  createInstanceRuntime,
  createPreviewer,
} from './provisioning/ports.ts';
import { isGoneFromHere, processIdentity } from './provisioning/process-identity.ts';
import { prepareProject } from './provisioning/project.ts';
import { createReconciler, type Reconciler } from './provisioning/reconciler.ts';
import { createRegionLook } from './provisioning/region-look.ts';
import { createRegionStacks } from './provisioning/regions.ts';
import { noHooks, type StepHooks } from './provisioning/step-hooks.ts';
import type { StrayServices } from './provisioning/strays.ts';
import { createWorkerPool, type WorkerPool } from './provisioning/worker-pool.ts';
import { type EntityManager, openDatabase } from './store/database.ts';

const otherStore =
  'SWIFTCACHE_BACKUP_URL is another than at the last start of a server of this installation: all need ' +
  'the same store, with the backups that were taken so far (docs/operators.md)';

/** What another server removed must be shut here within a second. */
const recheckMs = 500;

/** What every process has. */
export interface Base extends DutyServices {
  readonly clock: HttpServices['clock'];
  readonly config: Config;
}

/** The surfaces of this process for instances' users. */
export interface Surfaces {
  readonly gateway: Gateway | undefined;
  /** Those that serve the gateway beside this one. */
  readonly processes: GatewayProcesses | undefined;
  readonly edge: Edge | undefined;
  /** Where the door is, in this process or another. */
  readonly door: ShownDoor;
  /** Drops what they hold of a key or an instance. */
  dropKey(keyId: string, instanceId?: string): void;
  dropInstance(instanceId: string): void;
}

/** What the control API and the reconciler work with; a process that is neither has none of it, nor keys. */
export interface Control {
  readonly bootstrap: Bootstrap;
  readonly services: HttpServices;
  readonly reconciler: Reconciler;
  readonly backupRunner: StartedBackupRunner;
  readonly pool: WorkerPool;
  readonly clients: InstanceClients;
  readonly accessSync: AccessSync;
  /** What the watch over containers works with. */
  readonly drift: DriftServices;
  /** What the sweep of what belongs to nobody works with. */
  readonly strays: StrayServices;
  /** What the watch over operators' runs works with. */
  readonly operators: AdoptionServices;
  readonly sampler: Sampler;
}

export interface Parts {
  readonly base: Base;
  readonly surfaces: Surfaces;
  readonly control: Control | undefined;
  readonly checkReady: () => Promise<void>;
}

/** What the entry points of tests put around the steps; the service's own gives nothing. */
export interface TestOptions {
  readonly hooks?: StepHooks;
  /** The worker's process, where it is to have hooks too. */
  readonly workerFile?: string;
}

/** @throws when the door's port is taken, or the database or data directory cannot be used. */
export async function makeParts(
  config: Config,
  logger: Logger,
  testOptions: TestOptions = {},
): Promise<Parts> {
  const orm = await openDatabase(config);
  const owner = processIdentity();
  const base = { orm, clock: systemClock, config, logger, owner, isGone: isGoneFromHere };
  const isControl = hasRole(config, 'api') || hasRole(config, 'reconciler');
  const checkReady = async (): Promise<void> => {
    await (orm.em.fork() as EntityManager).getConnection().execute('select 1');
    if (isControl) await requireDocker(connectDocker(config.dockerHost));
  };
  if (!isControl)
    return { base, surfaces: await makeSurfaces(base), control: undefined, checkReady };
  const secrets = prepareDataDirectory(config);
  const { installationId, isOtherBackupStore, ...bootstrap } = await prepareInstallation(
    base,
    secrets,
  );
  if (isOtherBackupStore) logger.warn(otherStore);
  const surfaces = await makeSurfaces(base);
  const sealer = createSealer(secrets.masterKey);
  const store = openObjectStore(config.backupUrl);
  const vault = createVault(store, createFileSealer(secrets.masterKey));
  const options = { ...testOptions, installationId, vault };
  const provisioning = makeProvisioning(base, sealer, surfaces, options);
  const { reconciler, previewer, access } = provisioning;
  const sampler = createSampler({
    ...base,
    reader: createMetricsReader(sealer, provisioning.clients),
  });
  const services: HttpServices = {
    ...base,
    sealer,
    fingerprint: createFingerprint(secrets.masterKey),
    accountThrottle: createAccountThrottle(),
    // Elsewhere the reconcilers find what is to be done by themselves, once a second.
    provisioner: hasRole(config, 'reconciler') ? reconciler : { wake() {} },
    backupRunner: hasRole(config, 'reconciler') ? provisioning.backupRunner : { wake() {} },
    vault,
    capacity: createHostCapacity(config, logger),
    runtime: createInstanceRuntime(sealer),
    previewer,
    access,
    metrics: sampler,
    streams: createEventStreams(logger),
    door: () => surfaces.door,
    checkReady,
  };
  const control = { bootstrap, services, ...provisioning, sampler };
  return { base, surfaces, control, checkReady };
}

export function hasRole({ roles }: Config, role: ServiceRole): boolean {
  return roles.has(role);
}

/** What the gateway is told, in each of its processes. */
export function toSettings({ gateway, proxyHops }: Config): GatewaySettings {
  const { bodyBytesMax, compression, corsOrigins, pipelineCommandsMax } = gateway;
  return { bodyBytesMax, compression, corsOrigins, pipelineCommandsMax, proxyHops };
}

async function makeSurfaces({ orm, config, logger }: Base): Promise<Surfaces> {
  const isShared = config.databaseUrl !== undefined;
  const ports = createDatabasePorts({ orm, logger }, isShared);
  const hasGateway = hasRole(config, 'gateway');
  const gateway = hasGateway
    ? createGateway({ ports, logger, settings: toSettings(config) })
    : undefined;
  const count = config.gateway.processes - 1;
  const processes =
    hasGateway && count > 0
      ? createGatewayProcesses({ count, ports, logger, path: config.path })
      : undefined;
  const edge = hasRole(config, 'edge')
    ? createEdge({
        orm,
        logger,
        rateStore: ports.rates,
        recheckMs: isShared ? recheckMs : undefined,
        entrance: config.door,
      })
    : undefined;
  const door = await openDoor(edge, config);
  return {
    gateway,
    processes,
    edge,
    door,
    dropKey(keyId, instanceId) {
      gateway?.dropKey(keyId, instanceId);
      processes?.dropKey(keyId, instanceId);
      edge?.dropKey(keyId, instanceId);
    },
    dropInstance(instanceId) {
      gateway?.dropInstance(instanceId);
      processes?.dropInstance(instanceId);
      edge?.dropInstance(instanceId);
    },
  };
}

/** Opens the door's ports, where this process has one, and says what clients are told of it. */
async function openDoor(edge: Edge | undefined, config: Config): Promise<ShownDoor> {
  const { host, publicHost, redisPort } = config;
  const { domain, sharePort: isShared, tlsPort, takesPlain } = config.door;
  const port = await edge?.listen({ host, port: redisPort, isShared });
  const securePort = tlsPort && (await edge?.listenTls({ host, port: tlsPort, isShared }));
  return {
    host: publicHost,
    port: port ?? redisPort.number,
    tlsPort: securePort ?? tlsPort?.number,
    takesPlain,
    domain,
  };
}

interface ProvisioningOptions extends TestOptions {
  readonly installationId: string;
  readonly vault: BackupVault;
}

function makeProvisioning(
  base: Base,
  sealer: HttpServices['sealer'],
  surfaces: Surfaces,
  { hooks = noHooks, workerFile, installationId, vault }: ProvisioningOptions,
) {
  const { orm, config, logger } = base;
  const { dropKey } = surfaces;
  const clients = createInstanceClients(sealer);
  const accessSync = createAccessSync({ ...base, clients });
  const settings = workerSettings(config);
  const makePool = (): WorkerPool => createWorkerPool(config, settings, logger, workerFile);
  const pool = hasRole(config, 'reconciler')
    ? makePool()
    : createLazyPool(config.workers, makePool);
  const isInPlace = createRegionLook(settings);
  const regions = createRegionStacks({ ...base, isInPlace }, pool, installationId);
  const stacks = { pool, regions, installationId };
  const onInstanceGone = (instanceId: string): void => {
    clients.drop(instanceId);
    surfaces.dropInstance(instanceId);
  };
  const states = createStackStates(config, settings);
  const operators = { ...base, states };
  const reconciler = createReconciler({
    ...base,
    ...stacks,
    sealer,
    settings,
    accessSync,
    states,
    hooks,
    vault,
    holder: base.owner,
    onInstanceGone,
  });
  const drift = {
    ...base,
    clients,
    accessSync,
    installationId,
    adoptFromStack: createPatientAdoption((id) => adoptFromStack(operators, id), base),
    wakeReconciler: reconciler.wake,
  };
  return {
    pool,
    clients,
    accessSync,
    drift,
    strays: { ...base, installationId, settings },
    operators,
    reconciler,
    backupRunner: createBackupRunner({ ...base, sealer, vault, installationId }),
    previewer: createPreviewer({ config, ...stacks }),
    access: createAccessControl({ orm, logger, accessSync, dropKey }),
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
