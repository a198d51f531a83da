/**
 * The service: starts what wiring.ts joins, and stops it in order.
 *
 * startService gives a running service; its `stop` takes everything down in order and within a bounded
 * time: no new work, doors closed, runs in hand interrupted and handed back, database closed. Containers
 * keep running.
 */
import { createServer, type Server } from 'node:http';
import { createApp } from './app.ts';
import type { Config } from './config.ts';
import { startHousekeeping } from './housekeeping.ts';
import type { Logger } from './lib/logger.ts';
import { makeParts } from './wiring.ts';

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
  const parts = await makeParts(config, logger);
  const { bootstrap, door, gateway, services } = parts;
  const app = createApp(services, gateway);
  const server = await listen(createServer(app.callback()), config);
  await parts.reconciler.start();
  parts.sweep.start();
  parts.sampler.start();
  const housekeeping = startHousekeeping(services, logger);
  return {
    url: `http://${config.publicHost}:${portOf(server)}`,
    organizationId: bootstrap.organizationId,
    accountKey: bootstrap.secret,
    door,
    async stop() {
      services.streams.close();
      await Promise.all([closeServer(server), parts.edge.close(), housekeeping.stop()]);
      const { clients, reconciler, sampler, sweep, pool } = parts;
      clients.close();
      await Promise.all([reconciler.stop(), sampler.stop(), sweep.stop(), pool.close()]);
      await gateway.close();
      await services.orm.close();
    },
  };
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
