/**
 * Percent-decoding of one piece of a request target: a path segment, or a query's name or value.
 *
 * Not decodeURIComponent alone: bytes that are no UTF-8 are values, too, and stay bytes.
 */
import { isUtf8 } from 'node:buffer';
import { badRequest } from './failures.ts';

const percent = 0x25;
const asciiMax = 0x7e;

/** Whether a text is what it decodes to: most keys and values are, and need no further look. */
export function isPlain(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === percent || code > asciiMax) return false;
  }
  return true;
}

/**
 * Decodes one piece; bytes that are no UTF-8 stay bytes.
 * @param text as Node gives request targets: Latin-1, so every character is one byte.
 * @throws {AppError} `invalid_request` for a "%" that two hexadecimal digits do not follow.
 */
export function decode(text: string): string | Buffer {
  if (isPlain(text)) return text;
  const bytes = Buffer.allocUnsafe(text.length);
  let length = 0;
  for (let at = 0; at < text.length; at++) {
    let code = text.charCodeAt(at);
    if (code === percent) {
      code = readHex(text.charCodeAt(at + 1)) * 16 + readHex(text.charCodeAt(at + 2));
      at += 2;
    }
    bytes[length++] = code;
  }
  const decoded = bytes.subarray(0, length);
  return isUtf8(decoded) ? decoded.toString('utf8') : decoded;
}

function readHex(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  if (lower >= 0x61 && lower <= 0x66) return lower - 0x57;
  throw badRequest('Malformed percent-encoding: "%" must be followed by two hexadecimal digits');
}
