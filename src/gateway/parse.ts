/**
 * From an HTTP request to Redis commands.
 *
 * The raw request target is taken apart here rather than by a URL parser: each path segment is decoded
 * alone, so that %2F stays inside an argument, and bytes that are no UTF-8 reach Redis as they are.
 */
import { readJsonArray, toArguments } from './command-json.ts';
import { badRequest } from './failures.ts';
import { decode, isPlain } from './percent-encoding.ts';

const slash = 0x2f;
const tokenName = '_token';
/** What Upstash's clients send at most. */
const pipelineCommandsMax = 1_000;

/** What is asked for: one command, or one of the endpoints of Upstash's protocol. */
export type RouteKind =
  | 'command'
  | 'pipeline'
  | 'multi-exec'
  | 'subscribe'
  | 'psubscribe'
  | 'monitor';

/** A request target under /redis/, still percent-encoded. */
export interface Target {
  readonly kind: RouteKind;
  readonly instanceId: string;
  /** What follows the instance id and the slashes behind it; '' where nothing does. */
  readonly path: string;
  /** Without its "?"; '' where there is none. */
  readonly query: string;
}

export interface Command {
  /** In upper case, never empty. */
  readonly name: string;
  readonly args: readonly (string | Buffer)[];
}

/**
 * Takes a request target apart; undefined where it is not under the prefix.
 * @param prefix begins and ends with a slash.
 */
export function splitTarget(url: string, prefix = '/redis/'): Target | undefined {
  // A proxy may send the absolute form: http://host/path.
  const start = url.charCodeAt(0) === slash ? 0 : url.indexOf('/', url.indexOf('://') + 3);
  if (start < 0 || !url.startsWith(prefix, start)) return undefined;
  const idStart = start + prefix.length;
  const mark = url.indexOf('?', idStart);
  const end = mark < 0 ? url.length : mark;
  const idSlash = url.indexOf('/', idStart);
  const idEnd = idSlash < 0 || idSlash > end ? end : idSlash;
  // Clients append to a base URL that may end in a slash (//get/key).
  let pathStart = idEnd;
  while (pathStart < end && url.charCodeAt(pathStart) === slash) pathStart += 1;
  const path = url.slice(pathStart, end);
  return {
    kind: findKind(path),
    instanceId: url.slice(idStart, idEnd),
    path,
    query: mark < 0 ? '' : url.slice(mark + 1),
  };
}

/** The key given in the query, if any; '' where the parameter is there without a readable value. */
export function readQueryToken({ query }: Target): string | undefined {
  if (query === '') return undefined;
  const pair = splitQuery(query).find(({ name }) => name === tokenName);
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
export function parseCommand({ path, query }: Target, body: Buffer | undefined): Command {
  if (path !== '') return parsePath(path, query, body);
  if (!body) throw badRequest('No command: name one in the path, or POST a JSON array');
  if (query !== '' && readParameters(query).length > 0) {
    throw badRequest('A JSON command takes no query parameters: put every argument in the array');
  }
  const parts = toArguments(readJsonArray(body, 'command'), () => 'element');
  if (parts.length === 0) throw badRequest('ERR empty command');
  return toCommand(parts[0], parts.slice(1));
}

/**
 * Reads the commands of a pipeline or a transaction: a JSON array of commands, each an array of its own.
 * @param commandsMax how many there may be.
 * @throws {AppError} `invalid_request` for the first command that cannot be read; then none is run.
 */
export function parsePipeline(
  body: Buffer | undefined,
  kind: 'pipeline' | 'transaction' = 'pipeline',
  commandsMax = pipelineCommandsMax,
): Command[] {
  if (!body) throw badRequest(`ERR empty ${kind} request: POST a JSON array of commands`);
  const rows = readJsonArray(body, `${kind} request`);
  if (rows.length === 0) throw badRequest(`ERR empty ${kind} request`);
  if (rows.length > commandsMax) {
    throw badRequest(`ERR a ${kind} holds at most ${commandsMax} commands`);
  }
  return rows.map((row, index) => {
    if (!Array.isArray(row)) {
      throw badRequest(`ERR failed to parse ${kind} request: command ${index} is not an array`);
    }
    const parts = toArguments(row, () => `command ${index}: element`);
    if (parts.length === 0) throw badRequest(`ERR empty ${kind} command: command ${index}`);
    return toCommand(parts[0], parts.slice(1));
  });
}

/**
 * Reads the channels or patterns of /subscribe/{channel}… and /psubscribe/{pattern}….
 * @throws {AppError} `invalid_request` where there is none.
 */
export function parseChannels({ kind, path }: Target): (string | Buffer)[] {
  const channels = splitPath(path).args;
  if (channels.length === 0 || channels.every((channel) => channel.length === 0)) {
    throw badRequest(`ERR no channel: name one in the path, as in /${kind}/news`);
  }
  return channels;
}

function findKind(path: string): RouteKind {
  const end = path.indexOf('/');
  const length = end < 0 ? path.length : end;
  if (length < 'monitor'.length || length > 'psubscribe'.length) return 'command';
  const name = path.slice(0, length).toLowerCase();
  if (name === 'subscribe' || name === 'psubscribe') return name;
  if (name !== 'pipeline' && name !== 'multi-exec' && name !== 'monitor') return 'command';
  // These take nothing in the path.
  for (let at = length; at < path.length; at++) {
    if (path.charCodeAt(at) !== slash) return 'command';
  }
  return name;
}

function parsePath(path: string, query: string, body: Buffer | undefined): Command {
  const { name, args } = splitPath(path);
  if (body?.length) args.push(body);
  if (query !== '') args.push(...readParameters(query));
  return toCommand(name, args);
}

/** Most paths are plain ASCII: then every segment is a slice, and nothing is decoded. */
function splitPath(path: string): { name: string | Buffer; args: (string | Buffer)[] } {
  const take = isPlain(path) ? (text: string): string => text : decode;
  let end = path.indexOf('/');
  const name = take(end < 0 ? path : path.slice(0, end));
  const args: (string | Buffer)[] = [];
  while (end >= 0) {
    const start = end + 1;
    end = path.indexOf('/', start);
    args.push(take(end < 0 ? path.slice(start) : path.slice(start, end)));
  }
  return { name, args };
}

function toCommand(name: string | Buffer | undefined, args: (string | Buffer)[]): Command {
  if (typeof name !== 'string' || name === '') {
    throw badRequest('ERR the name of the command is empty or not text');
  }
  // Upper case is what commands are looked up by and what is sent, so the two cannot differ.
  return { name: name.toUpperCase(), args };
}

interface QueryPair {
  readonly name: string;
  /** Undefined for a bare name (`?NX`). */
  readonly value: string | undefined;
}

function splitQuery(query: string): QueryPair[] {
  const parts = query.split('&').filter((part) => part !== '');
  return parts.map((part) => {
    const mark = part.indexOf('=');
    if (mark < 0) return { name: part, value: undefined };
    return { name: part.slice(0, mark), value: part.slice(mark + 1) };
  });
}

/** The query's arguments, in the order they stand in; the key is none of them. */
function readParameters(query: string): (string | Buffer)[] {
  return splitQuery(query).flatMap(({ name, value }) => {
    if (name === tokenName) return [];
    if (name === '') throw badRequest('A query parameter has no name');
    const texts = value === undefined ? [name] : [name, value];
    return texts.map((text) => decode(text.replaceAll('+', ' ')));
  });
}
