/**
 * The service: starts what wiring.ts joins, and stops it in order.
 *
 * startService gives a running service; its `stop` takes everything down in order and within a bounded
 * time: no new work, doors closed, runs in hand interrupted and handed back, duties handed to other servers,
 * database closed. Containers keep running.
 */
import type { Server } from 'node:http';
import { createApp } from './app.ts';
import { type Config, hasRole, type ServiceRole } from './config.ts';
import type { ShownDoor } from './http/route.ts';
import { closeHttpServer, createHttpServer, listenBacklog } from './http-server.ts';
import type { Logger } from './lib/logger.ts';
import { holdDuties } from './service-duties.ts';
import { pickGatewaySettings } from './surfaces.ts';
import { makeParts, type Parts, type TestOptions } from './wiring.ts';

export interface Service {
  readonly url: string;
  readonly roles: ReadonlySet<ServiceRole>;
  /** The first organization; only where the control API is. */
  readonly organizationId: string | undefined;
  /** The first account key; only when this start made it. */
  readonly accountKey: string | undefined;
  readonly door: ShownDoor;
  /** Ends the service; resolves when nothing of it runs any more but the containers. */
  stop(): Promise<void>;
}

/** Starts everything. @throws when a port is taken, or the database or data directory cannot be used. */
export async function startService(
  config: Config,
  logger: Logger,
  testOptions: TestOptions = {},
): Promise<Service> {
  const parts = await makeParts(config, logger, testOptions);
  const { base, control, surfaces } = parts;
  const api = hasRole(config, 'api') ? control?.services : undefined;
  const { gateway, processes, readMetrics } = surfaces;
  const app = createApp({ ...base, ...parts }, { api, readMetrics });
  const { pathPrefix } = config;
  const others = app.callback();
  const http = createHttpServer({ gateway, others, pathPrefix });
  const server = await listen(http, config);
  const port = portOf(server);
  const settings = { host: config.host, port, pathPrefix, gateway: pickGatewaySettings(config) };
  await processes?.start(settings, others);
  const work = await startWork(parts);
  return {
    url: `http://${config.publicHost}:${port}`,
    roles: config.roles,
    organizationId: api && control?.bootstrap.organizationId,
    accountKey: control?.bootstrap.secret,
    door: surfaces.door,
    async stop() {
      api?.streams.close();
      const closed = [closeHttpServer(server), gateway?.close(), processes?.close()];
      await Promise.all([...closed, surfaces.openDoor?.close()]);
      await work.stop();
      await base.orm.close();
    },
  };
}

/** Starts what works by itself, in a process that has that part. */
async function startWork({ base, control, surfaces }: Parts): Promise<{ stop(): Promise<void> }> {
  if (!control) return { async stop() {} };
  const { backupRunner, clients, pool, reconciler, sampler } = control;
  const isReconciler = hasRole(base.config, 'reconciler');
  if (isReconciler) await reconciler.start();
  if (isReconciler) await backupRunner.start();
  const duties = isReconciler ? holdDuties(base, surfaces, control) : [];
  return {
    async stop() {
      clients.close();
      const working = duties.map((duty) => duty.stop());
      await Promise.all([...working, reconciler.stop(), backupRunner.stop(), pool.close()]);
      // Without its duty it may still hold what a question for metrics opened.
      await sampler.stop();
    },
  };
}

function listen(server: Server, { host, port, gateway }: Config): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = `port ${port} is taken: end what uses it, or set SWIFTCACHE_PORT to another`;
      reject(error.code === 'EADDRINUSE' ? new Error(taken) : error);
    });
    const reusePort = gateway.processes > 1;
    server.listen({ port, host, backlog: listenBacklog, reusePort }, () => resolve(server));
  });
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}
