/**
 * Command arrays in JSON, whose numbers keep the text they were written as: 1.0 and 9007199254740993 are
 * arguments, not quantities.
 *
 * A parser that keeps the text of numbers (JSON.parse with a reviver) takes many times as long as one that
 * does not, so it is used only for texts in which a number could lose something.
 */
import { isUtf8 } from 'node:buffer';
import { badRequest } from './failures.ts';

/** A body that is not what it should be is named by this in errors, in the words of Upstash's service. */
export type BodyKind = 'command' | 'pipeline request' | 'transaction request';

/**
 * Reads a body's JSON array. A number in it, or in an array that is an element of it, is a number only
 * where String() gives its source text; else it is that text.
 * @throws {AppError} `invalid_request` that says what is wrong and quotes nothing of the body.
 */
export function readJsonArray(body: Buffer, kind: BodyKind): unknown[] {
  if (body.length === 0) throw badRequest(`ERR empty ${kind}: the body must be a JSON array`);
  if (!isUtf8(body)) throw badRequest(`ERR failed to parse ${kind}: the body is not UTF-8`);
  const text = body.toString('utf8');
  const values = parseJson(text.charCodeAt(0) === byteOrderMark ? text.slice(1) : text, kind);
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

function parseJson(text: string, kind: BodyKind): unknown {
  try {
    const values: unknown = JSON.parse(text);
    return losesNumbers(values, text) ? JSON.parse(text, keepSource as Reviver) : values;
  } catch {
    // The parser's own message quotes the body, which is nothing for an answer that may be logged.
    throw badRequest(`ERR failed to parse ${kind}: the body is not valid JSON`);
  }
}

type Reviver = (key: string, value: unknown) => unknown;

/** The third argument is newer than TypeScript's library. */
function keepSource(_: string, value: unknown, context: { readonly source: string }): unknown {
  return typeof value === 'number' ? context.source : value;
}

/** A fraction or an exponent behind a whole number, such as 1.0 and 1e2; strings may look like it, too. */
const oddNumber = /[[,]\s*-?\d+[.eE]/;

function losesNumbers(values: unknown, text: string): boolean {
  if (!Array.isArray(values)) return false;
  let hasNumbers = false;
  for (const value of values) {
    if (typeof value === 'string') continue;
    for (const item of Array.isArray(value) ? value : [value]) {
      if (typeof item !== 'number') continue;
      if (!Number.isSafeInteger(item) || Object.is(item, -0)) return true;
      hasNumbers = true;
    }
  }
  return hasNumbers && oddNumber.test(text);
}
