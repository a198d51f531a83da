/**
 * Numbers in JSON (RFC 8259) as the text they were written as, without a parser of its own: quotes are put
 * around them, and JSON.parse then gives strings.
 *
 * Guarantees: one pass over the bytes, whatever they are; JSON stays JSON with values in the same places,
 * and what is none stays none, for only whole numbers are quoted and a string may stand wherever a number may.
 */

const quote = 0x22;
const plus = 0x2b;
const minus = 0x2d;
const dot = 0x2e;
const digit0 = 0x30;
const digit9 = 0x39;
const upperE = 0x45;
const backslash = 0x5c;
const lowerE = 0x65;
const openBrace = 0x7b;

/** Every whole number of up to 15 digits is exact as a double, and String() gives it as it was written. */
const exactDigitsMax = 15;

/**
 * Puts quotes around each number that a double, or its text, might not give back as it was written.
 * Text with an object in it comes back as it is: there a number in the place of a name must stay wrong.
 * @param json as UTF-8.
 * @returns the very same bytes where there is no such number.
 */
export function quoteOddNumbers(json: Buffer): Buffer {
  let quoted: Buffer | undefined;
  let length = 0;
  // All before this place was copied.
  let copied = 0;
  for (let at = 0; at < json.length; ) {
    const byte = json[at];
    if (byte === quote) {
      at = stringEnd(json, at);
      continue;
    }
    if (byte === openBrace) return json;
    if (byte !== minus && !isDigit(byte)) {
      at += 1;
      continue;
    }
    const end = numberEnd(json, at);
    if (end > at && !isExact(json, at, end)) {
      // The shortest odd number has two bytes and a comma behind it, and becomes five.
      quoted ??= Buffer.allocUnsafe(json.length * 2 + 2);
      length = copyBytes(json, copied, at, quoted, length);
      quoted[length] = quote;
      length = copyBytes(json, at, end, quoted, length + 1);
      quoted[length] = quote;
      length += 1;
      copied = end;
    }
    at = Math.max(end, at + 1);
  }
  if (!quoted) return json;
  length = copyBytes(json, copied, json.length, quoted, length);
  return quoted.subarray(0, length);
}

/** A few bytes are faster copied here than by a call of the runtime. */
function copyBytes(from: Buffer, start: number, end: number, to: Buffer, place: number): number {
  if (end - start > 64) return place + from.copy(to, place, start, end);
  for (let at = start; at < end; at++) to[place + at - start] = from[at] ?? 0;
  return place + end - start;
}

/** Where the string that begins at `start` ends; the end of the text where it does not. */
function stringEnd(json: Buffer, start: number): number {
  let at = start + 1;
  while (at < json.length && json[at] !== quote) at += json[at] === backslash ? 2 : 1;
  return at + 1;
}

/** Where the number that begins at `start` ends; -1 where it is none, such as `-` and `1.`. */
function numberEnd(json: Buffer, start: number): number {
  const whole = json[start] === minus ? start + 1 : start;
  // No digit follows a leading zero: what looks like one is another number, and no JSON.
  let at = json[whole] === digit0 ? whole + 1 : digitsEnd(json, whole);
  if (at === whole) return -1;
  if (json[at] === dot) {
    const fraction = at + 1;
    at = digitsEnd(json, fraction);
    if (at === fraction) return -1;
  }
  if (json[at] === lowerE || json[at] === upperE) {
    const sign = json[at + 1];
    const exponent = sign === plus || sign === minus ? at + 2 : at + 1;
    at = digitsEnd(json, exponent);
    if (at === exponent) return -1;
  }
  return at;
}

function digitsEnd(json: Buffer, start: number): number {
  let at = start;
  while (isDigit(json[at])) at += 1;
  return at;
}

function isExact(json: Buffer, start: number, end: number): boolean {
  const isNegative = json[start] === minus;
  const whole = isNegative ? start + 1 : start;
  if (end - whole > exactDigitsMax) return false;
  if (isNegative && json[whole] === digit0) return false;
  return digitsEnd(json, whole) === end;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= digit0 && byte <= digit9;
}
