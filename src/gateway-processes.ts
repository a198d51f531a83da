/** The gateway processes of a service, and the socket that takes what they do not serve. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { restoreAddress } from './forwarding.ts';
import { addFigures } from './gateway/exposed-figures.ts';
import type { Figures } from './gateway/observe.ts';
import type { GatewayProcessSettings } from './gateway-process.ts';
import { boundBodies } from './http/body-time.ts';
import { bodyTimeoutMs, closeHttpServer } from './http-server.ts';
import { createProcesses, type Processes, type ProcessesDeps } from './processes/processes.ts';

const processFile = fileURLToPath(new URL('./gateway-process.ts', import.meta.url));
/**
 * Of a request that is passed on: more than the public port takes (Node's 16 KiB and 1,000 headers), so what was
 * taken there is never refused here for the headers that it got on its way.
 */
const forwardedHeaderBytesMax = 64 * 1024;

type Handler = (request: IncomingMessage, response: ServerResponse) => void;
type Own = Processes<GatewayProcessSettings, Figures>;

export interface GatewayProcesses extends Omit<Own, 'start'> {
  /**
   * Forks them, once the service's port is known; they come up while the service serves already.
   * @param others serves what is not the gateway's.
   */
  start(settings: Omit<GatewayProcessSettings, 'socketPath'>, others: Handler): Promise<void>;
}

export function createGatewayProcesses(deps: ProcessesDeps): GatewayProcesses {
  const processes: Own = createProcesses(deps, { name: 'gateway', file: processFile, addFigures });
  let folder: string | undefined;
  let server: Server | undefined;
  return {
    ...processes,
    async start(settings, others) {
      // Only this user may open the folder, so nobody else can claim an address.
      folder = mkdtempSync(join(tmpdir(), 'swiftcache-'));
      const socketPath = join(folder, 'service');
      server = await listenForOthers(socketPath, others);
      // One that cannot serve is logged and replaced; the service's own process serves meanwhile.
      processes.start({ ...settings, socketPath }).catch(() => {});
    },
    async close() {
      await processes.close();
      if (server) await closeHttpServer(server);
      if (folder) rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function listenForOthers(socketPath: string, others: Handler): Promise<Server> {
  const server = createServer({ maxHeaderSize: forwardedHeaderBytesMax }, (request, response) => {
    restoreAddress(request);
    others(request, response);
  });
  boundBodies(server, bodyTimeoutMs);
  // Their number is bounded where they come from; none of them is to be left out here.
  server.maxHeadersCount = 0;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject).listen(socketPath, resolve);
  await promise;
  return server;
}
