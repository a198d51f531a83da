/**
 * Finds where each request in a client's bytes begins and ends, and which of them are to be looked at,
 * without copying and without reading the arguments of the others.
 *
 * Guarantee: every request that Redis would run is told of once, with Redis's own borders, however the bytes
 * were split. The rules are those of Redis 7.0's networking.c. Where this differs it is more patient, never
 * less: what it takes for a request and Redis does not, ends the connection in Redis.
 *
 * Between two requests `read` tells of the one that begins; within one, of its further bytes. What it needs
 * to tell is little: the count, the length of the first argument and its first bytes; it has them together,
 * or asks to be called again with more. What comes after, it follows byte for byte through any split.
 */
import { splitInlineRequest } from './inline-request.ts';

/**
 * - `request`: one begins, any but those below; it goes on to `end`, and beyond where `isWithin`.
 * - `sign-in`: AUTH or HELLO begins, likewise.
 * - `part`: of the request that was begun, up to `end`.
 * - `nothing`: what Redis passes over (an empty line, an array of nothing), up to `end`.
 * - `incomplete`: more bytes are needed to tell; `read` is to be called again from the same place.
 * - `dead`: the line at `deadAt` is one that Redis does not take: it says so and closes, or (where a zero byte
 *   hides the line's end from it) waits for ever. In neither case does it run anything that comes after.
 */
export type Framed = 'request' | 'sign-in' | 'part' | 'nothing' | 'incomplete' | 'dead';

/** Redis's bound for an inline request. */
export const lineBytesMax = 64 * 1024;
const countMax = 0x7fffffff;
/** Redis's bound for an argument, as it comes: no name is longer, whatever an operator may set. */
const nameBytesMax = 512 * 1024 * 1024;
/** More digits than any length that Redis takes, and fewer than would not be exact here. */
const digitsMax = 15;
/** `*-9223372036854775808`, which Redis takes for an array of nothing. */
const countBytesMax = 20;
/** So much of a name decides whether it is AUTH or HELLO: the longer one, and whether it ends there. */
const decidingBytes = 6;

const asterisk = 0x2a;
const dollar = 0x24;
const carriageReturn = 0x0d;
const lineFeed = 0x0a;
const zero = 0x30;

/** What the next byte of an argument's line of its length is. */
type LinePlace = 'type' | 'digits' | 'after the return';

export class RequestFramer {
  /** Where the last thing told of ends in the bytes given. */
  end = 0;
  /** Whether the bytes given ended within a request. */
  isWithin = false;
  /** Where in the bytes given a line begins that Redis does not take; -1 where what was told of has none. */
  deadAt = -1;
  /** Arguments whose length is not known yet. */
  #missing = 0;
  /** Bytes of the argument begun that are to come, the two behind it included. */
  #left = 0;
  #place: LinePlace = 'type';
  #number = 0;
  #digits = 0;

  /** Tells what stands at `position` of `bytes`, which are to be more than that. */
  read(bytes: Buffer, position: number): Framed {
    if (this.isWithin) {
      this.#follow(bytes, position);
      return 'part';
    }
    return bytes[position] === asterisk
      ? this.#readArray(bytes, position)
      : this.#readInline(bytes, position);
  }

  /** Begins anew: the request begun will be given once more from its beginning. */
  forget(): void {
    this.isWithin = false;
    this.#missing = 0;
    this.#left = 0;
  }

  #readArray(bytes: Buffer, start: number): Framed {
    this.deadAt = start;
    const countEnd = bytes.indexOf(carriageReturn, start + 1);
    const countBytes = (countEnd === -1 ? bytes.length : countEnd) - start - 1;
    if (countBytes > countBytesMax) return 'dead';
    if (countEnd === -1) return 'incomplete';
    const count = readCount(bytes, start + 1, countEnd);
    if (count === undefined || count > countMax) return 'dead';
    // Like Redis, the byte after the carriage return is waited for and not looked at.
    const lengthAt = countEnd + 2;
    if (lengthAt > bytes.length) return 'incomplete';
    if (count > 0) return this.#readName(bytes, lengthAt, count);
    this.end = lengthAt;
    this.deadAt = -1;
    return 'nothing';
  }

  /** Looks at the first argument, whose line begins at `lengthAt`. */
  #readName(bytes: Buffer, lengthAt: number, count: number): Framed {
    this.#place = 'type';
    this.#missing = count;
    this.deadAt = lengthAt;
    const nameAt = this.#readLength(bytes, lengthAt);
    if (nameAt === -1) return 'dead';
    if (this.#missing === count) return 'incomplete';
    const nameBytes = this.#left - 2;
    if (nameBytes > nameBytesMax) return 'dead';
    if (bytes.length - nameAt < Math.min(nameBytes, decidingBytes)) return 'incomplete';
    const kind = isSignIn(bytes, nameAt, nameBytes) ? 'sign-in' : 'request';
    this.isWithin = true;
    this.#follow(bytes, nameAt);
    return kind;
  }

  #readInline(bytes: Buffer, start: number): Framed {
    const lineEnd = bytes.indexOf(lineFeed, start);
    const line = bytes.subarray(start, lineEnd === -1 ? bytes.length : lineEnd);
    this.deadAt = start;
    // Redis looks for the line's end as C does for a text's: behind a zero byte it finds none.
    if (line.includes(0)) return 'dead';
    if (lineEnd === -1) return line.length > lineBytesMax ? 'dead' : 'incomplete';
    // A longer line that came whole Redis takes or not, depending on how it reads: it counts as taken.
    const args = splitInlineRequest(line);
    if (!args) return 'dead';
    this.end = lineEnd + 1;
    this.deadAt = -1;
    const [name] = args;
    if (!name) return 'nothing';
    return isSignIn(name, 0, name.length) ? 'sign-in' : 'request';
  }

  /** Goes on to the end of the request, or of the bytes. */
  #follow(bytes: Buffer, start: number): void {
    const { length } = bytes;
    let at = start;
    this.deadAt = -1;
    this.end = length;
    for (;;) {
      if (this.#left > length - at) {
        this.#left -= length - at;
        return;
      }
      at += this.#left;
      this.#left = 0;
      if (this.#missing === 0) {
        this.isWithin = false;
        this.end = at;
        return;
      }
      if (at === length) return;
      const next = this.#readLength(bytes, at);
      if (next === -1) {
        this.deadAt = at;
        return;
      }
      at = next;
    }
  }

  /** Reads `$<length>` and the line's end, or what of it is there; gives the place after, -1 where Redis refuses. */
  #readLength(bytes: Buffer, start: number): number {
    const { length } = bytes;
    for (let at = start; at < length; at += 1) {
      const byte = bytes[at] as number;
      if (this.#place === 'digits') {
        if (byte === carriageReturn && this.#digits > 0) this.#place = 'after the return';
        else if (!this.#addDigit(byte)) return -1;
      } else if (this.#place === 'type') {
        if (byte !== dollar) return -1;
        this.#place = 'digits';
        this.#number = 0;
        this.#digits = 0;
      } else {
        this.#place = 'type';
        this.#missing -= 1;
        this.#left = this.#number + 2;
        return at + 1;
      }
    }
    return length;
  }

  #addDigit(byte: number): boolean {
    const digit = byte - zero;
    if (digit < 0 || digit > 9 || this.#digits >= digitsMax) return false;
    // No number but 0 itself begins with a zero.
    if (this.#digits === 1 && this.#number === 0) return false;
    this.#number = this.#number * 10 + digit;
    this.#digits += 1;
    return true;
  }
}

/** The number of an array's line; undefined where Redis takes none. Below zero, and beyond 2^53, it is about right. */
function readCount(bytes: Buffer, start: number, end: number): number | undefined {
  const isNegative = bytes[start] === 0x2d;
  const first = isNegative ? start + 1 : start;
  if (first === end) return undefined;
  if (bytes[first] === zero && (isNegative || end - first > 1)) return undefined;
  let number = 0;
  for (let at = first; at < end; at += 1) {
    const digit = (bytes[at] as number) - zero;
    if (digit < 0 || digit > 9) return undefined;
    number = number * 10 + digit;
  }
  return isNegative ? -number : number;
}

/**
 * Whether a name is AUTH's or HELLO's. Redis compares names as C does texts, up to a zero byte: with a little
 * luck in its table `auth<zero>x` is AUTH (seen with 7.0.15, once in some hundred tries).
 */
function isSignIn(bytes: Buffer, at: number, length: number): boolean {
  if (length < 4) return false;
  const first = (bytes[at] as number) | 0x20;
  if (first === 0x61) return isName(bytes, at, length, 'auth');
  return first === 0x68 && isName(bytes, at, length, 'hello');
}

function isName(bytes: Buffer, at: number, length: number, name: string): boolean {
  if (length < name.length || (length > name.length && bytes[at + name.length] !== 0)) return false;
  return bytes.toString('latin1', at, at + name.length).toLowerCase() === name;
}
