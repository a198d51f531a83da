/**
 * From a Redis reply to JSON.
 *
 * Two forms. Plain requests get the documented JSON: maps as objects, numbers as numbers, null. Requests
 * with any Upstash-* header get what Upstash's clients can read: the flat shapes of RESP2 and, with
 * `Upstash-Encoding: base64`, every string but a top-level "OK" in base64.
 *
 * The reply's strings are Buffers and its numbers are text (see createClient in connections.ts). A whole
 * number that JSON's readers would round is a decimal string in both forms.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Protocol } from './connections.ts';

export interface ReplyFormat {
  readonly protocol: Protocol;
  readonly base64: boolean;
}

/** Reads from the headers which form of answer the client expects. */
export function readReplyFormat(headers: IncomingHttpHeaders): ReplyFormat {
  for (const name in headers) {
    if (!name.startsWith('upstash-')) continue;
    const encoding = String(headers['upstash-encoding'] ?? '');
    return { protocol: 2, base64: encoding.toLowerCase() === 'base64' };
  }
  return { protocol: 3, base64: false };
}

/** The body of a successful answer. */
export function encodeResult(reply: unknown, { base64 }: ReplyFormat): string {
  if (!base64) return JSON.stringify({ result: toJson(reply, toText) });
  const isOk = Buffer.isBuffer(reply) && reply.equals(ok);
  return JSON.stringify({ result: isOk ? 'OK' : toJson(reply, toBase64) });
}

/** The body of a pipeline's answer: the bodies of its commands' answers, in order. */
export function encodePipeline(bodies: readonly string[]): string {
  return `[${bodies.join(',')}]`;
}

/** The body of a failed answer. */
export function encodeFailure(message: string): string {
  return JSON.stringify({ error: message });
}

const ok = Buffer.from('OK');

type EncodeString = (value: Buffer) => string;

const toText: EncodeString = (value) => value.toString('utf8');
const toBase64: EncodeString = (value) => value.toString('base64');

function toJson(value: unknown, encodeString: EncodeString): unknown {
  if (typeof value === 'string') return toNumber(value, encodeString);
  if (value === null || typeof value !== 'object') return value ?? null;
  if (Buffer.isBuffer(value)) return encodeString(value);
  if (Array.isArray(value)) return value.map((item) => toJson(item, encodeString));
  // An error inside a reply (a script can return one) has no form of its own in JSON.
  if (value instanceof Error) return encodeString(Buffer.from(value.message));
  // Without a prototype, a field called __proto__ is a field like any other.
  const object: Record<string, unknown> = Object.create(null);
  for (const [field, item] of Object.entries(value)) object[field] = toJson(item, encodeString);
  return object;
}

function toNumber(text: string, encodeString: EncodeString): number | string {
  const number = Number(text);
  const isWhole = /^[+-]?\d+$/.test(text);
  const isExact = isWhole ? Number.isSafeInteger(number) : Number.isFinite(number);
  // inf, nan and what a double cannot hold
  return isExact ? number : encodeString(Buffer.from(text));
}
