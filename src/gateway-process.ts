/**
 * A gateway process: serves /redis/ on the service's public port with connections of its own to instances,
 * and passes every other path on to the service.
 */
import { once } from 'node:events';
import { createForwarder } from './forwarding.ts';
import { createGateway, type GatewaySettings } from './gateway/gateway.ts';
import { closeHttpServer, createHttpServer, listenBacklog } from './http-server.ts';
import { serveBeside } from './processes/process.ts';

/** What a process is started with. */
export interface GatewayProcessSettings {
  readonly host: string;
  readonly port: number;
  readonly pathPrefix: string;
  /** Where the service takes what is not the gateway's. */
  readonly socketPath: string;
  readonly gateway: GatewaySettings;
}

serveBeside(
  ({ host, port, pathPrefix, socketPath, gateway: own }: GatewayProcessSettings, given) => {
    const gateway = createGateway({ ...given, settings: own });
    const others = createForwarder(socketPath);
    const server = createHttpServer({ gateway, others, pathPrefix, areOthersBound: false });
    return {
      ...gateway,
      async listen() {
        server.listen({ host, port, backlog: listenBacklog, reusePort: true });
        await once(server, 'listening');
        server.on('error', ({ message }) => {
          given.logger.error({ error: message }, 'the port of a gateway process failed');
        });
      },
      async close() {
        await Promise.all([closeHttpServer(server), gateway.close()]);
      },
    };
  },
);
