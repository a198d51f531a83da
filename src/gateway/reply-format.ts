/**
 * Which form of answer a request asks for, and the headers that go with it.
 *
 * Three forms. Plain requests get the documented JSON, read from RESP3: maps as objects, numbers as
 * numbers, null. Requests with any Upstash-* header get what Upstash's clients can read: JSON of the flat
 * shapes of RESP2, with `Upstash-Encoding: base64` every string but a top-level "OK" in base64. With
 * `Upstash-Response-Format: resp2` they get Redis's own bytes.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { randomHex } from '../lib/crypto.ts';
import { badRequest } from './failures.ts';
import type { RouteKind } from './parse.ts';

/** 3 keeps maps, doubles and booleans apart; 2 has the shapes that Upstash's clients expect. */
export type Protocol = 2 | 3;

export interface ReplyFormat {
  readonly protocol: Protocol;
  readonly base64: boolean;
  /** The bytes that Redis sent, instead of JSON. */
  readonly raw: boolean;
}

const plain: ReplyFormat = { protocol: 3, base64: false, raw: false };
const flat: ReplyFormat = { protocol: 2, base64: false, raw: false };
const base64: ReplyFormat = { protocol: 2, base64: true, raw: false };
const raw: ReplyFormat = { protocol: 2, base64: false, raw: true };

/**
 * Reads from the headers which form of answer the client expects. A transaction's answer is always JSON.
 * @throws {AppError} `invalid_request` for a form that does not exist, or raw bytes in base64.
 */
export function readReplyFormat(
  headers: IncomingHttpHeaders,
  kind: RouteKind = 'command',
): ReplyFormat {
  for (const name in headers) {
    if (name.startsWith('upstash-')) return readUpstashFormat(headers, kind);
  }
  return plain;
}

/** The headers of a successful answer in this form, beside those of any answer. */
export function successHeaders({
  protocol,
}: ReplyFormat): Readonly<Record<string, string>> | undefined {
  return protocol === 3 ? undefined : { 'Upstash-Sync-Token': nextSyncToken() };
}

function readUpstashFormat(headers: IncomingHttpHeaders, kind: RouteKind): ReplyFormat {
  const isBase64 = readHeader(headers, 'upstash-encoding') === 'base64';
  const wanted = readHeader(headers, 'upstash-response-format');
  if (wanted === '' || kind === 'multi-exec') return isBase64 ? base64 : flat;
  if (wanted !== 'resp2') {
    throw badRequest('ERR Upstash-Response-Format must be "resp2", or left out for JSON');
  }
  if (isBase64) {
    throw badRequest('ERR Upstash-Encoding is for JSON: leave it out with Upstash-Response-Format');
  }
  return raw;
}

function readHeader(headers: IncomingHttpHeaders, name: string): string {
  return String(headers[name] ?? '')
    .trim()
    .toLowerCase();
}

const tokenStart = randomHex(6);
let answers = 0;

/**
 * Upstash's clients send the last token back, to read what they have written. Here they always do, for an
 * instance is one Redis; so a token says nothing, but that it differs from the one before.
 */
function nextSyncToken(): string {
  answers += 1;
  return `${tokenStart}-${answers.toString(36)}`;
}
