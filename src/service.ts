/**
 * The service: wires database, provisioning, gateway, door and API from a configuration.
 *
 * startService gives a running service; its `stop` takes everything down in order and within a bounded
 * time: no new work, doors closed, runs in hand interrupted and handed back, database closed. Containers
 * keep running.
 */
import { createServer, type Server } from 'node:http';
import { bootstrapOrganization } from './accounts/account-keys.ts';
import { createApp } from './app.ts';
import type { Config } from './config.ts';
import { prepareDataDirectory } from './data-directory.ts';
import { createEdge } from './edge/edge.ts';
import { createGateway } from './gateway/gateway.ts';
import { systemClock } from './lib/clock.ts';
import { createSealer } from './lib/crypto.ts';
import type { Logger } from './lib/logger.ts';
import { connectDocker } from './provisioning/docker.ts';
import { ensureInstallationId } from './provisioning/installation.ts';
import type { WorkerSettings } from './provisioning/messages.ts';
import { prepareProject } from './provisioning/project.ts';
import { createReconciler } from './provisioning/reconciler.ts';
import { createRegionStacks } from './provisioning/regions.ts';
import { createWorkerPool } from './provisioning/worker-pool.ts';
import { type EntityManager, type Orm, openDatabase } from './store/database.ts';

const httpCloseTimeoutMs = 5_000;

export interface Service {
  readonly url: string;
  readonly organizationId: string;
  /** The first account key; only when this start made it. */
  readonly accountKey: string | undefined;
  readonly door: { readonly host: string; readonly port: number };
  /** Ends the service; resolves when nothing of it runs any more but the containers. */
  stop(): Promise<void>;
}

/** Starts everything. @throws when a port is taken, or the database or data directory cannot be used. */
export async function startService(config: Config, logger: Logger): Promise<Service> {
  const { masterKey } = prepareDataDirectory(config);
  const orm = await openDatabase(config);
  const clock = systemClock;
  const bootstrap = await bootstrapOrganization({ orm, clock }, config.bootstrapAccountKey);
  const installationId = await ensureInstallationId(orm);

  const gateway = createGateway({ orm, logger });
  const edge = createEdge({ orm, logger });
  const doorPort = await edge.listen({ host: config.host, port: config.redisPort });
  const door = { host: config.publicHost, port: doorPort };

  const settings = workerSettings(config);
  const pool = createWorkerPool(config, settings, logger);
  const reconciler = createReconciler({
    orm,
    clock,
    config,
    logger,
    sealer: createSealer(masterKey),
    pool,
    regions: createRegionStacks(orm, pool, installationId),
    installationId,
    settings,
    onInstanceGone(instanceId) {
      gateway.dropInstance(instanceId);
      edge.dropInstance(instanceId);
    },
  });
  const app = createApp(
    {
      orm,
      clock,
      config,
      logger,
      provisioner: reconciler,
      door: () => door,
      checkReady: () => checkReady(orm, config),
    },
    gateway,
  );
  const server = await listen(createServer(app.callback()), config);
  await reconciler.start();

  return {
    url: `http://${config.publicHost}:${portOf(server)}`,
    organizationId: bootstrap.organizationId,
    accountKey: bootstrap.secret,
    door,
    async stop() {
      await Promise.all([closeServer(server), edge.close()]);
      await Promise.all([reconciler.stop(), pool.close()]);
      await gateway.close();
      await orm.close();
    },
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

function listen(server: Server, { host, port }: Config): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = `port ${port} is taken: end what uses it, or set SWIFTCACHE_PORT to another`;
      reject(error.code === 'EADDRINUSE' ? new Error(taken) : error);
    });
    server.listen(port, host, () => resolve(server));
  });
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

/** Answers what is under way, then cuts what stays open. */
async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), httpCloseTimeoutMs);
  await closed;
  clearTimeout(timer);
}
