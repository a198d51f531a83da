/**
 * From a Redis reply's bytes to the body of an answer.
 *
 * Plain requests get the documented JSON: maps as objects, numbers as numbers, null. Upstash's clients get
 * the flat shapes of RESP2 (they are asked for on a RESP2 connection) and, with base64, every string but a
 * top-level "OK" in base64; raw gives the bytes as Redis sent them. A whole number that JSON's readers would
 * round is a decimal string; bytes that are no UTF-8 become U+FFFD outside of base64 and raw.
 */
import { encodeJsonText } from './json-text.ts';
import { type Frame, headEnd, lengthAt, skipAttributes, types } from './redis/frames.ts';
import type { ReplyFormat } from './reply-format.ts';

/** The body of an answer: `{"result":…}`, or `{"error":…}` of an error reply; the frame itself in raw form. */
export function encodeFrame(frame: Frame, format: ReplyFormat): string | Buffer {
  if (format.raw) return frame;
  return encodeJson(frame, format.base64);
}

/** The same, always as JSON: for an item of a pipeline's or a transaction's answer. */
export function encodeJson(frame: Frame, base64: boolean): string {
  const type = frame[0];
  if (type === types.error || type === types.bulkError) {
    const at = type === types.error ? 1 : headEnd(frame, 0);
    return encodeFailure(frame.toString('utf8', at, frame.length - 2));
  }
  if (base64 && isOk(frame)) return '{"result":"OK"}';
  const cursor: Cursor = { frame, at: 0, base64 };
  return `{"result":${readValue(cursor)}}`;
}

/** The body of a pipeline's answer: the bodies of its commands' answers, in order. */
export function encodePipeline(bodies: readonly string[]): string {
  return `[${bodies.join(',')}]`;
}

/** The body of a failed answer. */
export function encodeFailure(message: string): string {
  return `{"error":${JSON.stringify(message)}}`;
}

/** Where the reading is; recursion is bounded by the reply reader's bound of depth. */
interface Cursor {
  readonly frame: Frame;
  at: number;
  readonly base64: boolean;
}

function isOk(frame: Frame): boolean {
  const text = frame.toString('latin1', 0, Math.min(frame.length, 8));
  return text === '+OK\r\n' || text === '$2\r\nOK\r\n';
}

/** Reads the value at the cursor as JSON and moves past it. */
function readValue(cursor: Cursor): string {
  const { frame } = cursor;
  const at = skipAttributes(frame, cursor.at);
  const type = frame[at];
  const lineEnd = headEnd(frame, at);
  cursor.at = lineEnd;
  switch (type) {
    case types.bulk:
    case types.bulkError:
    case types.verbatim:
      return readBulk(cursor, at);
    case types.array:
    case types.set:
    case types.push:
      return readArray(cursor, lengthAt(frame, at + 1));
    case types.map:
      return readMap(cursor, lengthAt(frame, at + 1));
    case types.integer:
      return encodeInteger(frame, at + 1, lineEnd - 2, cursor.base64);
    case types.double:
    case types.bigNumber:
      return encodeNumber(frame, at + 1, lineEnd - 2, cursor.base64);
    case types.boolean:
      return frame[at + 1] === letterT ? 'true' : 'false';
    case types.simple:
    case types.error:
      return encodeString(frame, at + 1, lineEnd - 2, cursor.base64);
    default:
      return 'null';
  }
}

const letterT = 0x74;
/** `txt:` before the text of a verbatim string. */
const verbatimPrefixBytes = 4;

function readBulk(cursor: Cursor, typeAt: number): string {
  const { frame, base64, at } = cursor;
  const length = lengthAt(frame, typeAt + 1);
  if (length < 0) return 'null';
  cursor.at = at + length + 2;
  const start = frame[typeAt] === types.verbatim ? at + verbatimPrefixBytes : at;
  return encodeString(frame, start, at + length, base64);
}

function readArray(cursor: Cursor, length: number): string {
  if (length < 0) return 'null';
  let text = '[';
  for (let index = 0; index < length; index++) {
    text += index === 0 ? readValue(cursor) : `,${readValue(cursor)}`;
  }
  return `${text}]`;
}

/**
 * A map is an object; one with a field that holds other replies is an array of pairs. As the name of a field
 * such a field would be JSON inside of JSON, and with each further one inside of it twice as long.
 */
function readMap(cursor: Cursor, length: number): string {
  // Fields and values in turn: which of the two it is may be known as late as at the last field.
  const parts: string[] = [];
  let isObject = true;
  for (let index = 0; index < length; index++) {
    const field = readField(cursor);
    if (field.startsWith('[') || field.startsWith('{')) isObject = false;
    parts.push(field, readValue(cursor));
  }
  return isObject ? writeObject(parts) : writePairs(parts);
}

function writeObject(parts: readonly string[]): string {
  let text = '{';
  for (let at = 0; at < parts.length; at += 2) {
    const field = parts[at] ?? '';
    const name = field.startsWith('"') ? field : JSON.stringify(field);
    text += `${at === 0 ? '' : ','}${name}:${parts[at + 1]}`;
  }
  return `${text}}`;
}

function writePairs(parts: readonly string[]): string {
  let text = '[';
  for (let at = 0; at < parts.length; at += 2) {
    text += `${at === 0 ? '' : ','}[${parts[at]},${parts[at + 1]}]`;
  }
  return `${text}]`;
}

/** A field's name is text in every form; the name of one that is no string is its JSON. */
function readField(cursor: Cursor): string {
  const plain: Cursor = { frame: cursor.frame, at: cursor.at, base64: false };
  const json = readValue(plain);
  cursor.at = plain.at;
  return json;
}

function encodeString(frame: Frame, start: number, end: number, base64: boolean): string {
  if (base64) return `"${frame.toString('base64', start, end)}"`;
  return encodeJsonText(frame, start, end);
}

/** Every whole number of up to 15 digits is exact in JSON: its text is its JSON. */
function encodeInteger(frame: Frame, start: number, end: number, base64: boolean): string {
  if (end - start < 16) return frame.toString('latin1', start, end);
  return encodeNumber(frame, start, end, base64);
}

function encodeNumber(frame: Frame, start: number, end: number, base64: boolean): string {
  const text = frame.toString('latin1', start, end);
  const number = Number(text);
  const isWhole = /^[+-]?\d+$/.test(text);
  const isExact = isWhole ? Number.isSafeInteger(number) : Number.isFinite(number);
  // inf, nan and what a double cannot hold
  return isExact ? JSON.stringify(number) : encodeString(frame, start, end, base64);
}
