/**
 * Finds where replies end in the bytes that Redis sends, without making values of them.
 *
 * Guarantees: the same bytes give the same frames however they were split; a byte is looked at once; a
 * reply over many chunks is put together in linear time; no more than one unfinished reply of at most
 * `replyBytesMax` is held, and nothing between replies; nothing is thrown. After the first bytes that are
 * no RESP2 or RESP3 (or too much of it) nothing more is read. Streamed aggregates (`*?`) are not read:
 * Redis does not send them. Attributes at the top are left out.
 */
import { type Frame, types } from './frames.ts';

export type Violation = 'not RESP' | 'too large' | 'too deep';

interface ReaderOptions {
  /** For one reply. */
  readonly replyBytesMax: number;
  readonly replyDepthMax: number;
  onReply(frame: Frame): void;
  /** An out-of-band message of RESP3 (`>`). */
  onPush(frame: Frame): void;
  /** Called once, before anything else of the broken stream. */
  onViolation(violation: Violation): void;
}

export interface ReplyReader {
  /** Takes the first `length` bytes, copies what it keeps, and calls back for each reply they complete. */
  push(bytes: Buffer, length?: number): void;
  /** Reads nothing from now on; for use inside a callback, too. */
  stop(): void;
}

const carriageReturn = 0x0d;
const lineFeed = 0x0a;
/** The shortest reply is a null: `_`, CR, LF. */
const replyBytesMin = 3;
const nothing = Buffer.alloc(0);

/** Makes the reader of one connection. */
export function createReplyReader(options: ReaderOptions): ReplyReader {
  const { replyBytesMax, replyDepthMax, onReply, onPush, onViolation } = options;
  let data: Buffer = nothing;
  /** What is unread lies between these two. */
  let start = 0;
  let end = 0;
  let position = 0;
  /** How far the line at `position` was searched for its end. */
  let searched = 0;
  /** The end of the body of a bulk that was begun; 0 between bodies. */
  let bodyEnd = 0;
  /** For every aggregate that is open: how many replies it still lacks, and whether it is an attribute. */
  const missing: number[] = [];
  const attribute: boolean[] = [];
  let stopped = false;

  function stop(): void {
    stopped = true;
    data = nothing;
    start = end = 0;
  }

  function violate(violation: Violation): false {
    stop();
    onViolation(violation);
    return false;
  }

  /** Moves past the next head or body; false where it has not arrived whole. */
  function step(): boolean {
    if (bodyEnd > 0) return passBody();
    const lineEnd = findLineEnd();
    if (lineEnd < 0) return false;
    const type = data[position] ?? 0;
    switch (type) {
      case types.simple:
      case types.error:
      case types.integer:
      case types.null:
      case types.double:
      case types.bigNumber:
      case types.boolean:
        position = searched = lineEnd;
        return finishReply();
      case types.bulk:
      case types.bulkError:
      case types.verbatim:
        return openBody(type, lineEnd);
      case types.array:
      case types.set:
      case types.push:
      case types.map:
      case types.attribute:
        return openAggregate(type, lineEnd);
      default:
        return violate('not RESP');
    }
  }

  /** The place after the CRLF of the line at `position`, or -1. */
  function findLineEnd(): number {
    let at = Math.max(searched, position + 1);
    for (; at < end; at++) {
      if (data[at] === lineFeed && data[at - 1] === carriageReturn) return at + 1;
    }
    searched = at;
    return -1;
  }

  function openBody(type: number, lineEnd: number): boolean {
    const length = readLength(data, position + 1, lineEnd - 2);
    position = searched = lineEnd;
    if (length === -1 && type === types.bulk) return finishReply();
    // A verbatim string has its kind in front of it: `txt:`.
    if (length < (type === types.verbatim ? 4 : 0)) return violate('not RESP');
    bodyEnd = lineEnd + length + 2;
    if (bodyEnd - start > replyBytesMax) return violate('too large');
    return true;
  }

  function passBody(): boolean {
    if (end < bodyEnd) return false;
    if (data[bodyEnd - 2] !== carriageReturn || data[bodyEnd - 1] !== lineFeed) {
      return violate('not RESP');
    }
    position = searched = bodyEnd;
    bodyEnd = 0;
    return finishReply();
  }

  function openAggregate(type: number, lineEnd: number): boolean {
    const length = readLength(data, position + 1, lineEnd - 2);
    position = searched = lineEnd;
    if (length === -1 && type === types.array) return finishReply();
    // A push stands between replies, never inside one.
    if (length < 0 || (type === types.push && missing.length > 0)) return violate('not RESP');
    const isAttribute = type === types.attribute;
    const count = isAttribute || type === types.map ? 2 * length : length;
    if (count * replyBytesMin > replyBytesMax) return violate('too large');
    if (count === 0) return isAttribute ? passAttribute() : finishReply();
    if (missing.length >= replyDepthMax) return violate('too deep');
    missing.push(count);
    attribute.push(isAttribute);
    return true;
  }

  /** An attribute is no reply: the one it is about follows. */
  function passAttribute(): boolean {
    if (missing.length === 0) start = position;
    return true;
  }

  /** A reply has ended at `position`, and with it all that it was the last part of. */
  function finishReply(): boolean {
    while (missing.length > 0) {
      const open = missing.length - 1;
      const left = (missing[open] ?? 0) - 1;
      missing[open] = left;
      if (left > 0) return true;
      missing.pop();
      if (attribute.pop()) return passAttribute();
    }
    if (position - start > replyBytesMax) return violate('too large');
    const frame = start === 0 && position === data.length ? data : data.subarray(start, position);
    const isPush = data[start] === types.push;
    start = position;
    if (isPush) onPush(frame);
    else onReply(frame);
    return true;
  }

  /** Puts bytes behind the unfinished reply; room at least doubles, so each byte moves a few times at most. */
  function append(bytes: Buffer, length: number): void {
    if (data.length - end < length) {
      const needed = end - start + length;
      const room = Math.max(2 * needed, bodyEnd - start);
      const grown = Buffer.allocUnsafe(room);
      data.copy(grown, 0, start, end);
      if (bodyEnd > 0) bodyEnd -= start;
      position -= start;
      searched -= start;
      end -= start;
      start = 0;
      data = grown;
    }
    bytes.copy(data, end, 0, length);
    end += length;
  }

  return {
    stop,
    push(bytes, length = bytes.length) {
      if (stopped || length === 0) return;
      if (start === end) {
        data = Buffer.allocUnsafe(length);
        bytes.copy(data, 0, 0, length);
        start = position = searched = 0;
        end = length;
      } else append(bytes, length);
      while (position < end && step()) if (stopped) return;
      if (stopped) return;
      if (start === end) data = nothing;
      else if (end - start > replyBytesMax) violate('too large');
    },
  };
}

/** Reads digits, or -1 as itself; -2 for anything else. */
function readLength(data: Buffer, from: number, to: number): number {
  if (to - from === 2 && data[from] === 0x2d && data[from + 1] === 0x31) return -1;
  if (to <= from || to - from > 10) return -2;
  let length = 0;
  for (let at = from; at < to; at++) {
    const digit = (data[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) return -2;
    length = length * 10 + digit;
  }
  return length;
}
