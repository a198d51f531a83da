/** Which status and which words an outcome has over HTTP: the one place that decides it. */
import { AppError } from '../lib/errors.ts';

const retrySoon = { 'Retry-After': '1' } as const;

export interface Failure {
  readonly status: number;
  /** For the caller. */
  readonly message: string;
  readonly headers: Readonly<Record<string, string>>;
  /** For the log; never an argument, a value or a secret. */
  readonly detail: string | undefined;
}

/** Describes anything thrown while a request was served. */
export function describeFailure(thrown: unknown): Failure {
  if (thrown instanceof AppError) {
    const { status, message, headers, detail } = thrown;
    return { status, message, headers, detail };
  }
  // Only the kind and the place of an unknown error: its message may quote a query or a command.
  const place = /\n\s+(at .+)/.exec((thrown as Error | undefined)?.stack ?? '')?.[1];
  const kind = thrown instanceof Error ? describeKind(thrown) : typeof thrown;
  const detail = place ? `${kind} ${place}` : kind;
  return { status: 500, message: 'Internal error', headers: {}, detail };
}

/** The failure of a request whose command Redis refused, by Redis's own words, code first. */
export function replyFailure(text: string): AppError {
  // The key is known here but not (or no longer) in Redis: to the caller it is an invalid key.
  if (isUnknownUser(text)) return invalidToken();
  if (notNow.test(text)) return tooBusy(text);
  return badRequest(text);
}

/**
 * Redis takes nothing while it loads its data or runs a long script. A transaction is then discarded, for its
 * EXEC or for a command in it, and the text says so first.
 */
const notNow = /^(EXECABORT .*: )?(BUSY|LOADING) /;

export function badRequest(message: string): AppError {
  return new AppError('invalid_request', message);
}

/** @param methods those that are taken there. */
export function methodNotAllowed(methods: readonly string[]): AppError {
  return new AppError('method_not_allowed', undefined, { headers: { Allow: methods.join(', ') } });
}

export function authenticationRequired(): AppError {
  return new AppError('authentication_required', 'Authentication required', challenge);
}

export function invalidToken(): AppError {
  return new AppError('invalid_authentication_token', 'Invalid authentication token', challenge);
}

/** Says the address as the gateway sees it: what is to be added to the list may be a proxy's. */
export function addressNotAllowed(address: string): AppError {
  return new AppError('forbidden', `This key may not be used from the address ${address}`);
}

export function instanceNotFound(): AppError {
  return new AppError('not_found', 'Redis instance not found');
}

export function instanceNotRunning(status: string): AppError {
  const message = `Redis instance is ${status}`;
  return new AppError('instance_unreachable', message, { headers: retrySoon });
}

export function tooBusy(message: string): AppError {
  return new AppError('instance_unreachable', message, { headers: retrySoon });
}

/** The documented answer when Redis cannot be reached, or did not answer in time. */
export function connectionFailure(cause: unknown): AppError {
  const detail = cause instanceof Error ? describeKind(cause) : 'unknown';
  return new AppError('internal_error', 'Redis connection error', { detail });
}

/** What was asked for is more than the gateway passes on. */
export function replyTooLarge(bytesMax: number): AppError {
  return badRequest(`ERR reply is larger than ${bytesMax} bytes; ask for less at a time`);
}

export function replyTooDeep(depthMax: number): AppError {
  return badRequest(`ERR reply holds arrays more than ${depthMax} deep`);
}

/** Redis refused to sign the key in, by its words; they may name the user, so they are not passed on. */
export function signInFailure(text: string): AppError {
  if (isUnknownUser(text)) return invalidToken();
  if (text.startsWith('LOADING ')) return tooBusy(text);
  if (/max number of clients/.test(text)) return tooBusy('Redis has no free connection');
  return connectionFailure(new Error('Signing in was refused'));
}

function isUnknownUser(text: string): boolean {
  return text.startsWith('WRONGPASS ') || text.startsWith('NOAUTH ');
}

const challenge = { headers: { 'WWW-Authenticate': 'Bearer realm="swiftcache"' } };

/** The texts are this service's own; those of other errors may quote what nobody is to read. */
function describeKind(error: Error): string {
  const { code } = error as { code?: unknown };
  if (typeof code === 'string') return code;
  const known =
    /^(Command timed out|Connecting timed out|Connection is closed|Signing in was refused|The reply is not (RESP|its own)|Maximum call stack)/;
  return known.exec(error.message)?.[0] ?? error.name;
}
