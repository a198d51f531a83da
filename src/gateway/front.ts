/**
 * The gateway's side of HTTP: what a request needs before and after its command, on node:http itself.
 *
 * The control API's framework stands beside it on the same server and is not asked (docs/decisions/0021).
 *
 * Guarantees: every request is answered, once, whatever is thrown; the answer has the id, the length and
 * the headers that every answer has; a method that is not taken is a 405 that names those that are; what
 * is under way is counted, so that a stop can wait for it, and bounded on one connection; what a connection
 * sends behind a body runs after that body's commands.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { clientAddressOf } from '../lib/client-address.ts';
import { AppError } from '../lib/errors.ts';
import { takeRequestId } from '../lib/request-id.ts';
import {
  type Answer,
  type Exchange,
  type Incoming,
  listCommonHeaders,
  type Outgoing,
  sendAnswer,
} from './answer.ts';
import { createCors } from './cors.ts';
import { methodNotAllowed, tooBusy } from './failures.ts';
import type { Target } from './parse.ts';
import type { Unread } from './unread.ts';

const methods: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT'];
/** Requests that were sent on one connection without waiting for answers. */
const perConnectionMax = 128;

/** What of one connection has no answer yet. */
interface Turns {
  count: number;
  /** Resolves when the last of them that has a body is answered. */
  body: Promise<void> | undefined;
}

export interface FrontSettings {
  /** How many proxies in front are believed about where a request comes from. */
  readonly proxyHops: number;
  /** Whose pages may call from a browser. */
  readonly corsOrigins: readonly string[];
  /** Whether large answers are compressed for clients that take it. */
  readonly compression: boolean;
}

/** What is done for a request. */
export interface Work {
  /**
   * Gives the answer; undefined where it was sent already, e.g. as a stream that has ended.
   * @throws what `describe` can tell, at once or by the promise.
   */
  serve(exchange: Exchange): Promise<Answer | undefined>;
  /** Gives the answer for what `serve` threw. Must not throw. */
  describe(exchange: Exchange, thrown: unknown): Answer;
  /** Called once a request, when its answer has been given. */
  note(exchange: Exchange, status: number): void;
  /** Counts the answers that wait for their readers. */
  readonly unread: Unread;
}

export interface Front {
  /** @param target undefined where it is none. */
  handle(request: IncomingMessage, response: ServerResponse, target: Target | undefined): void;
  /** The same for the plain lane, which brings one request of a connection at a time, and no OPTIONS. */
  handlePlain(request: Incoming, response: Outgoing, target: Target): void;
  /** How many requests have no answer yet. */
  readInFlight(): number;
  /** Refuses what comes from now on, and waits for what is under way, at most so long. */
  close(timeoutMs: number): Promise<void>;
}

export function createFront(settings: FrontSettings, work: Work): Front {
  const { proxyHops, corsOrigins, compression } = settings;
  const cors = createCors(corsOrigins, methods);
  const perConnection = new WeakMap<Socket, Turns>();
  let isClosing = false;
  let inFlight = 0;
  let onIdle: (() => void) | undefined;

  function open(request: Incoming, response: Outgoing, target: Target | undefined): Exchange {
    const { headers } = request;
    const requestId = takeRequestId(headers['x-request-id']);
    const further = cors.readHeaders(headers.origin);
    return {
      request,
      response,
      target,
      requestId,
      address: clientAddressOf(request, proxyHops),
      startedMs: performance.now(),
      headers: listCommonHeaders(requestId, further),
      trace: {
        instanceId: undefined,
        keyId: undefined,
        command: undefined,
        commands: undefined,
        refusal: undefined,
        headers: undefined,
      },
      mayCompress: compression && takesGzip(headers['accept-encoding']),
    };
  }

  /** @param ahead how many of its connection's are to be answered before it. */
  async function answer(exchange: Exchange, ahead: number): Promise<void> {
    inFlight += 1;
    try {
      const given = await serveChecked(exchange, ahead);
      if (given) sendAnswer(exchange, given, work.unread);
      work.note(exchange, given?.status ?? exchange.response.statusCode);
    } catch (thrown) {
      const given = work.describe(exchange, thrown);
      sendAnswer(exchange, given, work.unread);
      work.note(exchange, given.status);
    } finally {
      inFlight -= 1;
      if (inFlight === 0) onIdle?.();
    }
  }

  /**
   * Node gives the next request of a connection before the answers to those ahead of it are sent. Behind one
   * with a body it waits: else its command would run first, for that one's body is still being read.
   */
  async function answerInTurn(exchange: Exchange): Promise<void> {
    const { socket, method } = exchange.request;
    const turns = perConnection.get(socket) ?? { count: 0, body: undefined };
    perConnection.set(socket, turns);
    const { count: ahead, body } = turns;
    turns.count += 1;
    const isWaiting = body && ahead > 0 && ahead < perConnectionMax;
    const answered = isWaiting ? body.then(() => answer(exchange, ahead)) : answer(exchange, ahead);
    const hasBody = method !== 'GET' && method !== 'HEAD';
    if (hasBody && ahead < perConnectionMax) turns.body = answered;
    await answered;
    turns.count -= 1;
  }

  function serveChecked(exchange: Exchange, ahead: number): Promise<Answer | undefined> {
    if (!methods.includes(exchange.request.method ?? '')) throw methodNotAllowed(methods);
    if (isClosing) throw new AppError('shutting_down', undefined, { headers: lastOfConnection });
    if (ahead >= perConnectionMax) {
      throw tooBusy(`More than ${perConnectionMax} requests at once on one connection`);
    }
    return work.serve(exchange);
  }

  return {
    handlePlain: (request, response, target) => void answer(open(request, response, target), 0),
    handle(request, response, target) {
      if (request.method === 'OPTIONS') {
        const headers = cors.readPreflight(request.headers);
        if (headers) {
          const requestId = takeRequestId(request.headers['x-request-id']);
          response.writeHead(204, listCommonHeaders(requestId, headers)).end();
          return;
        }
      }
      void answerInTurn(open(request, response, target));
    },
    readInFlight: () => inFlight,
    async close(timeoutMs) {
      isClosing = true;
      if (inFlight === 0) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      onIdle = resolve;
      const timer = setTimeout(resolve, timeoutMs);
      await promise;
      clearTimeout(timer);
    },
  };
}

const lastOfConnection = { Connection: 'close', 'Retry-After': '1' };

/** `gzip;q=0` refuses it. */
function takesGzip(accepted: string | string[] | undefined): boolean {
  return /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i.test(String(accepted ?? ''));
}
