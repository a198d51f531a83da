/** Which status and which words an outcome has over HTTP: the one place that decides it. */
import { ReplyError } from 'ioredis';
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
  if (isReplyError(thrown)) return describeReplyError(thrown.message);
  // Only the kind and the place of an unknown error: its message may quote a query or a command.
  const place = /\n\s+(at .+)/.exec((thrown as Error | undefined)?.stack ?? '')?.[1];
  const kind = thrown instanceof Error ? describeKind(thrown) : typeof thrown;
  const detail = place ? `${kind} ${place}` : kind;
  return { status: 500, message: 'Internal error', headers: {}, detail };
}

/** Whether this is Redis's own "no", which says nothing bad about the connection. */
export function isReplyError(thrown: unknown): thrown is Error {
  return thrown instanceof ReplyError;
}

export function badRequest(message: string): AppError {
  return new AppError('invalid_request', message);
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

const challenge = { headers: { 'WWW-Authenticate': 'Bearer realm="swiftcache"' } };

function describeReplyError(message: string): Failure {
  // The key is known here but not (or no longer) in Redis: to the caller it is an invalid key.
  if (/^(WRONGPASS|NOAUTH)\b/.test(message)) return describeFailure(invalidToken());
  if (message.startsWith('LOADING ')) {
    return { status: 503, message, headers: retrySoon, detail: 'loading' };
  }
  return { status: 400, message, headers: {}, detail: undefined };
}

/** ioredis hangs the command with its arguments on its errors, so no error object is ever logged. */
function describeKind(error: Error): string {
  const { code } = error as { code?: unknown };
  if (typeof code === 'string') return code;
  const known =
    /^(Command timed out|Connection is closed|Maximum call stack|Stream isn't writeable)/;
  return known.exec(error.message)?.[0] ?? error.name;
}
