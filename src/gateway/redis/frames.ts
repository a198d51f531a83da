/**
 * Replies as Redis sent them, read without making them into values.
 *
 * A frame is one whole reply of RESP2 or RESP3 (redis.io/docs/reference/protocol-spec), from its type byte
 * to its last CRLF. The reply reader has checked its structure, so the functions here do not.
 */

/** One whole reply, first byte to last CRLF. Shares its memory with others: never write to it. */
export type Frame = Buffer;

/** The first byte of each kind of reply. */
export const types = {
  simple: 0x2b, // +
  error: 0x2d, // -
  integer: 0x3a, // :
  bulk: 0x24, // $
  array: 0x2a, // *
  null: 0x5f, // _
  double: 0x2c, // ,
  bigNumber: 0x28, // (
  boolean: 0x23, // #
  bulkError: 0x21, // !
  verbatim: 0x3d, // =
  map: 0x25, // %
  set: 0x7e, // ~
  push: 0x3e, // >
  attribute: 0x7c, // |
} as const;

const lineFeed = 0x0a;
const minus = 0x2d;
const carriageReturn = 0x0d;
/** `txt:` or `mkd:` before the text of a verbatim string. */
const verbatimPrefixBytes = 4;

/** Whether Redis said no; an error inside an array does not count. */
export function isErrorFrame(frame: Frame): boolean {
  return frame[0] === types.error || frame[0] === types.bulkError;
}

/** Redis's own words of an error frame, its code first (`WRONGTYPE …`). */
export function errorTextOf(frame: Frame): string {
  return bytesOf(frame)?.toString('utf8') ?? '';
}

/** The text of a string, number, boolean or error; undefined of a null and of what holds other replies. */
export function textOf(frame: Frame): string | undefined {
  return bytesOf(frame)?.toString('utf8');
}

/** The bytes that textOf reads. */
export function bytesOf(frame: Frame): Buffer | undefined {
  const type = frame[0] ?? 0;
  const at = headEnd(frame, 0);
  switch (type) {
    case types.bulk:
    case types.bulkError:
      return lengthAt(frame, 1) < 0 ? undefined : frame.subarray(at, frame.length - 2);
    case types.verbatim:
      return frame.subarray(at + verbatimPrefixBytes, frame.length - 2);
    case types.simple:
    case types.error:
    case types.integer:
    case types.double:
    case types.bigNumber:
    case types.boolean:
      return frame.subarray(1, frame.length - 2);
    default:
      return undefined;
  }
}

/** The replies inside an array, set, push or map (fields and values in turn); undefined of anything else. */
export function elementsOf(frame: Frame): Frame[] | undefined {
  const type = frame[0];
  const isList = type === types.array || type === types.set || type === types.push;
  if (!isList && type !== types.map) return undefined;
  const count = lengthAt(frame, 1) * (type === types.map ? 2 : 1);
  if (count < 0) return undefined;
  const elements: Frame[] = [];
  let at = headEnd(frame, 0);
  for (let index = 0; index < count; index++) {
    const start = skipAttributes(frame, at);
    at = frameEnd(frame, start);
    elements.push(frame.subarray(start, at));
  }
  return elements;
}

/** @param text Redis's way: a code in capitals, then words; line breaks become spaces. */
export function errorFrame(text: string): Frame {
  return Buffer.from(`-${text.replace(/[\r\n]/g, ' ')}\r\n`);
}

export function bulkFrame(value: string | Buffer): Frame {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')]);
}

export function arrayFrame(elements: readonly Frame[]): Frame {
  return Buffer.concat([Buffer.from(`*${elements.length}\r\n`), ...elements]);
}

/** Where the first line of the reply at `start` ends: the place after its CRLF. */
export function headEnd(frame: Frame, start: number): number {
  let at = start + 1;
  while (frame[at] !== lineFeed || frame[at - 1] !== carriageReturn) at += 1;
  return at + 1;
}

/** The number in the head of a bulk or an aggregate, from `start` to its CR; -1 for null. */
export function lengthAt(frame: Frame, start: number): number {
  if (frame[start] === minus) return -1;
  let length = 0;
  for (let at = start; ; at++) {
    const digit = (frame[at] ?? carriageReturn) - 0x30;
    if (digit < 0 || digit > 9) return length;
    length = length * 10 + digit;
  }
}

/** Where the reply at `start` itself begins, past what attributes say about it. */
export function skipAttributes(frame: Frame, start: number): number {
  let at = start;
  while (frame[at] === types.attribute) at = frameEnd(frame, at);
  return at;
}

/** Where the reply that begins at `start` ends. */
function frameEnd(frame: Frame, start: number): number {
  let at = start;
  // Replies still to be passed; no recursion, so depth costs nothing.
  for (let left = 1; left > 0; left--) {
    const type = frame[at];
    const isFirst = at === start;
    const length = lengthAt(frame, at + 1);
    at = headEnd(frame, at);
    switch (type) {
      case types.bulk:
      case types.bulkError:
      case types.verbatim:
        if (length >= 0) at += length + 2;
        break;
      case types.array:
      case types.set:
      case types.push:
        if (length > 0) left += length;
        break;
      case types.map:
        left += length * 2;
        break;
      case types.attribute:
        // The first is passed alone; further in, the reply that an attribute is about follows it.
        left += length * 2 + (isFirst ? 0 : 1);
        break;
      default:
    }
  }
  return at;
}
