/**
 * Command arrays in JSON, whose numbers keep the text they were written as: 1.0 and 9007199254740993 are
 * arguments, not quantities.
 *
 * JSON.parse with a reviver keeps their text as well, but holds up the process for seconds where a large body
 * is full of numbers; quotes around them take no longer than the parsing itself.
 */
import { isUtf8 } from 'node:buffer';
import { badRequest } from './failures.ts';
import { quoteOddNumbers } from './json-numbers.ts';

/** A body that is not what it should be is named by this in errors, in the words of Upstash's service. */
export type BodyKind = 'command' | 'pipeline request' | 'transaction request';

/**
 * Reads a body's JSON array. A number in it, or in an array that is an element of it, is a number only
 * where String() gives its source text; all others are that text.
 * @throws {AppError} `invalid_request` that says what is wrong and quotes nothing of the body.
 */
export function readJsonArray(body: Buffer, kind: BodyKind): unknown[] {
  if (body.length === 0) throw badRequest(`ERR empty ${kind}: the body must be a JSON array`);
  if (!isUtf8(body)) throw badRequest(`ERR failed to parse ${kind}: the body is not UTF-8`);
  const values = parseJson(body, kind);
  if (!Array.isArray(values)) {
    throw badRequest(`ERR failed to parse ${kind}: the body must be a JSON array`);
  }
  return values;
}

/**
 * Makes arguments of an array's values, in place.
 * @param what names a value in errors, before its place in the array.
 * @throws {AppError} `invalid_request` for the first value that cannot be an argument.
 */
export function toArguments(values: unknown[], what: () => string): string[] {
  for (let at = 0; at < values.length; at++) {
    const value = values[at];
    if (typeof value === 'string') continue;
    if (typeof value === 'number' || typeof value === 'boolean') values[at] = String(value);
    else throw badRequest(describeWrong(value, `${what()} ${at}`));
  }
  return values as string[];
}

function describeWrong(value: unknown, what: string): string {
  const needed = 'must be a string, a number or a boolean';
  // What clients make of undefined; run as "" or "null" it would be a wrong value kept for good.
  const hint = value === null ? ', and it is null: was an argument undefined?' : '';
  return `ERR failed to parse command: ${what} ${needed}${hint}`;
}

const byteOrderMark = 0xfeff;

function parseJson(body: Buffer, kind: BodyKind): unknown {
  const text = quoteOddNumbers(body).toString('utf8');
  try {
    return JSON.parse(text.charCodeAt(0) === byteOrderMark ? text.slice(1) : text);
  } catch {
    // The parser's own message quotes the body, which is nothing for an answer that may be logged.
    throw badRequest(`ERR failed to parse ${kind}: the body is not valid JSON`);
  }
}
