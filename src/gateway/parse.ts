/**
 * From an HTTP request to a Redis command.
 *
 * The raw request target is taken apart here rather than by a URL parser: each path segment is decoded
 * alone, so that %2F stays inside an argument, and bytes that are no UTF-8 reach Redis as they are.
 */
import { isUtf8 } from 'node:buffer';
import { badRequest } from './failures.ts';

const prefix = '/redis/';
const tokenName = '_token';
/** What Upstash's clients send at most. */
const pipelineCommandsMax = 1_000;

/** A request target under /redis/, still percent-encoded. */
export interface Target {
  readonly instanceId: string;
  /** The path segments after the instance id; empty ones are empty arguments. */
  readonly segments: readonly string[];
  readonly query: readonly QueryPair[];
}

interface QueryPair {
  readonly name: string;
  /** Undefined for a bare name (`?NX`). */
  readonly value: string | undefined;
}

export interface Command {
  /** In upper case, never empty. */
  readonly name: string;
  readonly args: readonly (string | Buffer)[];
}

/** Takes a request target apart; undefined where it is not under /redis/. */
export function splitTarget(url: string): Target | undefined {
  // A proxy may send the absolute form: http://host/path.
  const start = url.startsWith('/') ? 0 : url.indexOf('/', url.indexOf('://') + 3);
  if (start < 0 || !url.startsWith(prefix, start)) return undefined;
  const mark = url.indexOf('?', start);
  const path = url.slice(start + prefix.length, mark < 0 ? undefined : mark);
  const [instanceId = '', ...segments] = path.split('/');
  return { instanceId, segments, query: mark < 0 ? [] : splitQuery(url.slice(mark + 1)) };
}

/** The key given in the query, if any; '' where the parameter is there without a readable value. */
export function readQueryToken({ query }: Target): string | undefined {
  const pair = query.find(({ name }) => name === tokenName);
  if (!pair) return undefined;
  try {
    return String(decode(pair.value ?? ''));
  } catch {
    return 'malformed';
  }
}

/**
 * Reads the command of a request: from the path where there is one, else from the body's JSON array.
 * @param body undefined for methods that have none.
 * @throws {AppError} `invalid_request` that says what is wrong.
 */
export function parseCommand({ segments, query }: Target, body: Buffer | undefined): Command {
  // Clients append to a base URL that may end in a slash (//get/key).
  const first = segments.findIndex((segment) => segment !== '');
  const parameters = query.filter(({ name }) => name !== tokenName);
  if (first >= 0) {
    const [name, ...args] = segments.slice(first).map(decode) as [string | Buffer, ...string[]];
    const bodyArgs = body?.length ? [body] : [];
    return toCommand(name, [...args, ...bodyArgs, ...decodeParameters(parameters)]);
  }
  if (!body) throw badRequest('No command: name one in the path, or POST a JSON array');
  if (parameters.length > 0) {
    throw badRequest('A JSON command takes no query parameters: put every argument in the array');
  }
  const [name, ...args] = parseArray(body);
  if (name === undefined) throw badRequest('ERR empty command');
  return toCommand(name, args);
}

/** Whether a request is a pipeline: `POST /redis/{id}/pipeline`. */
export function isPipeline({ segments }: Target, method: string): boolean {
  const names = segments.filter((segment) => segment !== '');
  return method === 'POST' && names.length === 1 && names[0]?.toLowerCase() === 'pipeline';
}

/**
 * Reads the commands of a pipeline: a JSON array of commands, each an array of its own.
 * @throws {AppError} `invalid_request` for the first command that cannot be read; then none is run.
 */
export function parsePipeline(body: Buffer): Command[] {
  const rows = parseJsonArray(body);
  if (rows.length === 0) throw badRequest('ERR empty pipeline request');
  if (rows.length > pipelineCommandsMax) {
    throw badRequest(`ERR a pipeline holds at most ${pipelineCommandsMax} commands`);
  }
  return rows.map((row, index) => {
    if (!Array.isArray(row)) {
      throw badRequest(`ERR failed to parse pipeline request: command ${index} is not an array`);
    }
    const [name, ...args] = toArguments(row, `command ${index}: element`);
    if (name === undefined) throw badRequest(`ERR empty pipeline command: command ${index}`);
    return toCommand(name, args);
  });
}

function toCommand(name: string | Buffer, args: (string | Buffer)[]): Command {
  if (typeof name !== 'string' || name === '') {
    throw badRequest('ERR the name of the command is empty or not text');
  }
  // Upper case is what the refusals are looked up by and what is sent, so the two cannot differ; and
  // ioredis reshapes the arguments and replies of names that it knows in lower case.
  return { name: name.toUpperCase(), args };
}

function splitQuery(query: string): QueryPair[] {
  const parts = query.split('&').filter((part) => part !== '');
  return parts.map((part) => {
    const mark = part.indexOf('=');
    if (mark < 0) return { name: part, value: undefined };
    return { name: part.slice(0, mark), value: part.slice(mark + 1) };
  });
}

function decodeParameters(pairs: readonly QueryPair[]): (string | Buffer)[] {
  return pairs.flatMap(({ name, value }) => {
    if (name === '') throw badRequest('A query parameter has no name');
    const texts = value === undefined ? [name] : [name, value];
    return texts.map((text) => decode(text.replaceAll('+', ' ')));
  });
}

/** Decodes one piece; bytes that are no UTF-8 stay bytes. */
function decode(text: string): string | Buffer {
  if (/%(?![0-9a-f]{2})/i.test(text)) {
    throw badRequest('Malformed percent-encoding: "%" must be followed by two hexadecimal digits');
  }
  // Node gives the request target as Latin-1, so every character is one byte of it.
  const unescaped = text.replace(/%([0-9a-f]{2})/gi, (_, hex) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  const bytes = Buffer.from(unescaped, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : bytes;
}

/** Reads a JSON array of strings, numbers and booleans. */
function parseArray(body: Buffer): string[] {
  return toArguments(parseJsonArray(body), 'element');
}

/** Reads a body's JSON array; the numbers in it become their source text. */
function parseJsonArray(body: Buffer): unknown[] {
  if (body.length === 0) throw badRequest('ERR empty command: the body must be a JSON array');
  if (!isUtf8(body)) throw badRequest('ERR failed to parse command: the body is not UTF-8');
  const values = parseJson(body.toString('utf8').replace(/^\uFEFF/, ''));
  if (!Array.isArray(values)) {
    throw badRequest('ERR failed to parse command: the body must be a JSON array');
  }
  return values;
}

/** Takes values for a command's parts; numbers are text already (parseJson). */
function toArguments(values: readonly unknown[], what: string): string[] {
  const wrong = values.findIndex((value) => !/^(string|boolean)$/.test(typeof value));
  if (wrong >= 0) {
    throw badRequest(
      `ERR failed to parse command: ${what} ${wrong} must be a string, a number or a boolean`,
    );
  }
  return values.map(String);
}

/** 1.0 and 9007199254740993 stay as they were written. */
function parseJson(text: string): unknown {
  const keepSource = (_: string, value: unknown, context: { source: string }): unknown =>
    typeof value === 'number' ? context.source : value;
  try {
    // The reviver's third argument is newer than TypeScript's library.
    return JSON.parse(text, keepSource as (key: string, value: unknown) => unknown);
  } catch {
    // The parser's own message quotes the body, which is nothing for an answer that may be logged.
    throw badRequest('ERR failed to parse command: the body is not valid JSON');
  }
}
