/**
 * The HTTP server: one port for the control API's framework and, beside it, the command gateway, which
 * stands on node:http itself because its requests are many and small (docs/decisions/0021), and reads the
 * plain ones beside node:http (0028).
 */
import { type IncomingMessage, Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Gateway } from './gateway/gateway.ts';
import {
  createPlainLane,
  type PlainLane,
  type PlainLaneOptions,
} from './gateway/plain/plain-lane.ts';
import { boundBodies } from './http/body-time.ts';

/** Within it a body has arrived whole. */
export const bodyTimeoutMs = 5 * 60_000;
const closeTimeoutMs = 5_000;
/** Longer than the 60 s after which proxies close idle connections: they are to close them, not we. */
const keepAliveTimeoutMs = 65_000;
const gatewayPath = '/redis/';
/** Connections that wait to be accepted: callers without keep-alive come by the thousand at once. */
export const listenBacklog = 4_096;

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

interface Surfaces {
  readonly gateway: Pick<Gateway, 'handle' | 'handlePlain'> | undefined;
  /** Takes every path that is not the gateway's. */
  readonly others: Handler;
  /** What may stand before every path; '' for nothing. */
  readonly pathPrefix: string;
  /** Whether other requests' bodies have the time of the gateway's; left out, they have. */
  readonly areOthersBound?: boolean;
}

/** Makes the server; it does not listen yet. */
export function createHttpServer({
  gateway,
  others,
  pathPrefix,
  areOthersBound = true,
}: Surfaces): Server {
  const server = new HttpServer((request, response) => {
    if (pathPrefix !== '') request.url = withoutPrefix(request.url ?? '', pathPrefix);
    if (gateway && isGatewayTarget(request.url ?? '')) gateway.handle(request, response);
    else others(request, response);
  });
  server.keepAliveTimeout = keepAliveTimeoutMs;
  if (gateway) {
    server.addLane((request, answer) => {
      const url = withoutPrefix(request.url, pathPrefix);
      if (!isGatewayTarget(url)) return false;
      return gateway.handlePlain(url === request.url ? request : { ...request, url }, answer);
    });
  }
  boundBodies(server, bodyTimeoutMs, ({ url = '' }) => {
    return areOthersBound || isGatewayTarget(withoutPrefix(url, pathPrefix));
  });
  return server;
}

/** Node's server, whose connections a lane for plain requests reads first. */
class HttpServer extends Server {
  #lane: PlainLane | undefined;

  addLane(serve: PlainLaneOptions['serve']): void {
    const [handOver] = this.listeners('connection') as ((socket: Socket) => void)[];
    if (!handOver) throw new Error('the server takes no connections');
    const lane = createPlainLane({
      serve,
      handOver: (socket) => handOver.call(this, socket),
      isOpen: () => this.listening,
      keepAliveMs: keepAliveTimeoutMs,
    });
    this.#lane = lane;
    this.removeAllListeners('connection').on('connection', lane.accept);
  }

  override closeIdleConnections(): void {
    super.closeIdleConnections();
    this.#lane?.closeIdle();
  }

  override closeAllConnections(): void {
    super.closeAllConnections();
    this.#lane?.destroyAll();
  }
}

/** Answers what is under way, then cuts what stays open. */
export async function closeHttpServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), closeTimeoutMs);
  await closed;
  clearTimeout(timer);
}

/** Where the path of a request target begins: a proxy may send the absolute form, http://host/path. */
function pathStart(url: string): number {
  if (url.startsWith('/')) return 0;
  const scheme = url.indexOf('://');
  return scheme < 0 ? -1 : url.indexOf('/', scheme + 3);
}

function isGatewayTarget(url: string): boolean {
  const start = pathStart(url);
  return start >= 0 && url.startsWith(gatewayPath, start);
}

/** What comes without the prefix, e.g. from what watches the service beside the proxy, stays as it is. */
function withoutPrefix(url: string, prefix: string): string {
  const start = pathStart(url);
  if (prefix === '' || start < 0 || !url.startsWith(`${prefix}/`, start)) return url;
  return url.slice(0, start) + url.slice(start + prefix.length);
}
