/**
 * Answers on their way out: one write each, with its length, also where the request was a HEAD.
 *
 * Guarantee: every answer carries the request's id and says that nobody may keep it, guess its type or pass
 * its address on; sending never throws; a large answer that is not read is kept for a bounded time, and
 * only so many (unread.ts).
 */
import { type IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import type { ErrorCode } from '../lib/errors.ts';
import type { Target } from './parse.ts';
import { countedBytesMin, type Unread } from './unread.ts';

const jsonType = 'application/json; charset=utf-8';
/** Below it, the time to compress is longer than the time that is saved on most ways. */
const compressedBytesMin = 32 * 1024;

/** What a request has shown of itself so far: for the log and for its answer, whichever that will be. */
export interface Trace {
  instanceId: string | undefined;
  keyId: string | undefined;
  /** Its command's name or its kind, in upper case, as it was sent: it may be an argument gone astray. */
  command: string | undefined;
  /** How many commands it holds, where they may be several. */
  commands: number | undefined;
  /** Why it got no result, where it was not Redis that said so. */
  refusal: ErrorCode | undefined;
  /** What its answer is to say beside its own headers, e.g. of its key's rate. */
  headers: Readonly<Record<string, string>> | undefined;
}

/** A request, as node:http's or as the plain lane's. */
export interface Incoming {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly socket: Socket;
  /** Where it has arrived whole, and may have one. */
  readonly body?: Buffer | undefined;
}

/** Its answer: of node:http's, what every answer needs. */
export interface Outgoing {
  readonly statusCode: number;
  readonly headersSent: boolean;
  readonly destroyed: boolean;
  writeHead(status: number, headers: string[]): unknown;
  end(body: string | Buffer): unknown;
  destroy(): unknown;
  once(event: 'close' | 'finish', listener: () => void): unknown;
}

/** One request with the answer that it is to have. */
export interface Exchange {
  readonly request: Incoming;
  readonly response: Outgoing;
  /** Undefined where its path names no instance. */
  readonly target: Target | undefined;
  readonly requestId: string;
  /** Where it came from. */
  readonly address: string;
  /** By performance.now(). */
  readonly startedMs: number;
  /** What goes with any answer to it, as a flat list of names and values. */
  readonly headers: readonly string[];
  readonly trace: Trace;
  /** Whether its client may be sent a compressed answer. */
  readonly mayCompress: boolean;
}

/** Node:http's own two, for what the plain lane cannot give: bodies and answers that come in pieces. */
export function asStreams({ request, response }: Exchange): {
  request: IncomingMessage;
  response: ServerResponse;
} {
  if (!(request instanceof IncomingMessage) || !(response instanceof ServerResponse)) {
    throw new TypeError('a plain request has come where only streams are served');
  }
  return { request, response };
}

export interface Answer {
  readonly status: number;
  readonly body: string | Buffer;
  /** JSON where it is left out. */
  readonly contentType?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** What goes with every answer of the gateway, beside its origin's headers. */
export function listCommonHeaders(requestId: string, further: readonly string[]): string[] {
  const headers = [
    'X-Request-Id',
    requestId,
    // A key may stand in the URL (_token), a value in the answer: neither is to be kept or passed on.
    'Cache-Control',
    'no-store',
    'Referrer-Policy',
    'no-referrer',
    'X-Content-Type-Options',
    'nosniff',
  ];
  if (further.length > 0) headers.push(...further);
  return headers;
}

/** Sends an answer; where its client has gone or there is no room for it, nothing. Never throws. */
export function sendAnswer(exchange: Exchange, answer: Answer, unread: Unread): void {
  const { body } = answer;
  if (body.length >= countedBytesMin) {
    const { request, response, trace } = exchange;
    const bytes = Buffer.byteLength(body);
    if (!unread.hold(request, response, { bytes, keyId: trace.keyId })) return;
  }
  const isLarge = exchange.mayCompress && body.length >= compressedBytesMin;
  if (isLarge) void compressAndSend(exchange, answer);
  else write(exchange, answer, []);
}

const gzipAsync = promisify(gzip);

async function compressAndSend(exchange: Exchange, answer: Answer): Promise<void> {
  const varies = ['Vary', 'Accept-Encoding'];
  try {
    const body = await gzipAsync(answer.body, { level: constants.Z_BEST_SPEED });
    write(exchange, { ...answer, body }, [...varies, 'Content-Encoding', 'gzip']);
  } catch {
    write(exchange, answer, varies);
  }
}

function write(exchange: Exchange, answer: Answer, further: readonly string[]): void {
  const { response, headers, trace } = exchange;
  if (response.destroyed || response.headersSent) return;
  const { status, body, contentType = jsonType } = answer;
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
  const all = [...headers, 'Content-Type', contentType, 'Content-Length', String(length)];
  if (further.length > 0) all.push(...further);
  addHeaders(all, answer.headers);
  // What refuses a request for its rate says so itself.
  if (answer.headers === undefined || !('RateLimit' in answer.headers)) {
    addHeaders(all, trace.headers);
  }
  try {
    response.writeHead(status, all);
    // Node leaves the body of a HEAD's answer out.
    response.end(body);
  } catch {
    // A header that HTTP cannot carry: the caller is told by the end of the connection.
    response.destroy();
  }
}

function addHeaders(list: string[], headers: Answer['headers']): void {
  for (const name in headers) list.push(name, headers[name] ?? '');
}
