/**
 * Requests that a gateway process takes from the public port but does not serve: passed on to the service
 * over a Unix socket, both ways as streams, with the address they came from.
 *
 * Guarantees: a caller cannot name its own address: the header that carries it is the process's to set, and
 * believed on that socket alone, which nobody else may open; a caller who goes away ends the request at the
 * service, and a service that does is a 503.
 */
import {
  Agent,
  type IncomingMessage,
  request as openRequest,
  type ServerResponse,
} from 'node:http';
import { pipeline } from 'node:stream';

const addressHeader = 'swiftcache-peer-address';
/** They are about one connection, not about the request; trailers are not passed on. */
const ofConnection = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'trailer',
  'upgrade',
  'expect',
  'date',
  addressHeader,
]);

/** Makes a handler that passes requests on to what listens on the socket. */
export function createForwarder(
  socketPath: string,
): (request: IncomingMessage, response: ServerResponse) => void {
  // As many connections as there are requests: with a bound, slow uploads would keep all others waiting.
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 50 });
  return (request, response) => {
    const { method, url: path } = request;
    const headers = listHeaders(request);
    const forwarded = openRequest({ socketPath, agent, method, path, headers });
    forwarded.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, keep(answer.rawHeaders));
      // Streams are to show that they have begun.
      response.flushHeaders();
      pipeline(answer, response, ignore);
    });
    forwarded.on('error', () => refuse(response));
    response.once('close', () => forwarded.destroy());
    pipeline(request, forwarded, ignore);
  };
}

/** The headers that a request is passed on with. What would not be whole without a header gets it. */
function listHeaders({ method, headers, rawHeaders, socket }: IncomingMessage): string[] {
  // First, so that a list of headers that is cut at its end does not lose it.
  const list = [addressHeader, socket.remoteAddress ?? ''];
  // HTTP/1.0 may go without, and what is sent here is 1.1.
  if (headers.host === undefined) list.push('Host', '');
  if (headers['transfer-encoding'] !== undefined) list.push('Transfer-Encoding', 'chunked');
  else if (headers['content-length'] === undefined && method !== 'GET' && method !== 'HEAD') {
    // There is no body, where Node would announce one.
    list.push('Content-Length', '0');
  }
  list.push(...keep(rawHeaders));
  return list;
}

/** Takes the address of a forwarded request for its socket's, which is where it is looked for. */
export function restoreAddress({ headers, socket }: IncomingMessage): void {
  const value = headers[addressHeader];
  delete headers[addressHeader];
  Object.defineProperty(socket, 'remoteAddress', { value, configurable: true });
}

function keep(rawHeaders: readonly string[]): string[] {
  const kept: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    if (!ofConnection.has(name.toLowerCase())) kept.push(name, rawHeaders[at + 1] ?? '');
  }
  return kept;
}

function refuse(response: ServerResponse): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const body = '{"title":"The service is shutting down","status":503,"code":"shutting_down"}';
  response.writeHead(503, { 'Content-Type': 'application/problem+json', 'Retry-After': '1' });
  response.end(body);
}

function ignore(): void {}
