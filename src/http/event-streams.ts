/**
 * Server-sent events: a caller follows something live over one answer that stays open.
 *
 * What is followed is read again and again, since another server may be the one that changes it; each
 * state that differs from the one before is sent once. Guarantees: at most so many streams a process, an
 * organization and a caller; a stream ends with what it follows, when its client leaves, when its caller may no longer
 * read it, when the service stops, and after a bounded time; a client that reads slowly misses states in
 * between, never the last, and takes no memory that grows.
 */
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError, type LimitFacts } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';

const streamsMax = 200;
const streamsPerOrganizationMax = 50;
const streamsPerCallerMax = 10;
/** What may wait for a slow client; a state more is left out until it has read. */
const waitingBytesMax = 64 * 1024;
/** How often things are done; tests make it quicker. */
export interface StreamTimes {
  readonly pollMs: number;
  readonly recheckMs: number;
  readonly heartbeatMs: number;
  readonly lifetimeMs: number;
  /** A stream whose end its client does not read within this time is cut. */
  readonly cutAfterMs: number;
}

const defaultTimes: StreamTimes = {
  pollMs: 250,
  recheckMs: 5_000,
  heartbeatMs: 15_000,
  lifetimeMs: 15 * 60_000,
  cutAfterMs: 10_000,
};

/** What a stream follows. */
export interface Followed {
  /** The name of the event that tells a state. */
  readonly event: string;
  /** Reads the present state; `isLast` where it will not change any more. Rejects where it is gone. */
  read(): Promise<{ readonly state: object; readonly isLast: boolean }>;
  /** Rejects once the caller may no longer follow. */
  recheck(): Promise<void>;
}

/** Whose a stream is: each of them has a limited number. */
export interface StreamOwner {
  /** The caller, or the person behind it: who makes more keys gets no more streams. */
  readonly scope: string;
  /** Whose thing is followed. */
  readonly organizationId: string;
}

export interface EventStreams {
  /**
   * Opens a stream; it belongs to the answer that it is sent with.
   * @throws {AppError} `rate_limited` where the caller, the organization or the process has too many.
   */
  open(owner: StreamOwner, followed: Followed): Readable;
  /** How many are open. */
  count(): number;
  /** Ends every stream; no other is opened. */
  close(): void;
}

/** Makes the streams of one process. */
export function createEventStreams(
  logger: Pick<Logger, 'debug'>,
  times: StreamTimes = defaultTimes,
): EventStreams {
  const callers = createCounts();
  const organizations = createCounts();
  const stopping = new AbortController();
  const streams = new Set<Readable>();
  const release = ({ scope, organizationId }: StreamOwner, stream: Readable): void => {
    if (!streams.delete(stream)) return;
    callers.add(scope, -1);
    organizations.add(organizationId, -1);
  };
  return {
    open(owner, followed) {
      const { scope, organizationId } = owner;
      if (stopping.signal.aborted) throw new AppError('shutting_down');
      refuseTooMany('eventStreamsPerCaller', callers.of(scope), streamsPerCallerMax);
      const ofOrganization = organizations.of(organizationId);
      refuseTooMany('eventStreamsPerOrganization', ofOrganization, streamsPerOrganizationMax);
      if (streams.size >= streamsMax) throw tooMany('The server has too many event streams open.');
      const left = new AbortController();
      const stream = new Readable({
        read: () => {},
        destroy(error, done) {
          left.abort();
          release(owner, stream);
          done(error);
        },
      });
      streams.add(stream);
      callers.add(scope, 1);
      organizations.add(organizationId, 1);
      const signal = AbortSignal.any([stopping.signal, left.signal]);
      void follow(stream, followed, times, signal)
        .catch((error: unknown) => logger.debug({ err: error }, 'an event stream ended early'))
        .finally(() => end(stream, times.cutAfterMs));
      return stream;
    },
    count: () => streams.size,
    close: () => stopping.abort(),
  };
}

function refuseTooMany(name: string, used: number, limit: number): void {
  if (used < limit) return;
  const message = `There are ${used} event streams open, the limit is ${limit}.`;
  throw tooMany(message, { name, limit, used, requested: 1 });
}

/** How many others have open is not told. */
function tooMany(message: string, limit?: LimitFacts): AppError {
  const headers = { 'Retry-After': '10' };
  return new AppError('rate_limited', message, { headers, ...(limit && { limit }) });
}

/** Numbers by name; a name with none takes no memory. */
function createCounts(): { of(name: string): number; add(name: string, change: number): void } {
  const counts = new Map<string, number>();
  const of = (name: string): number => counts.get(name) ?? 0;
  return {
    of,
    add(name, change) {
      const count = of(name) + change;
      if (count > 0) counts.set(name, count);
      else counts.delete(name);
    },
  };
}

function end(stream: Readable, cutAfterMs: number): void {
  stream.push(null);
  const cut = setTimeout(() => stream.destroy(), cutAfterMs).unref();
  stream.once('close', () => clearTimeout(cut));
}

async function follow(
  stream: Readable,
  { event, read, recheck }: Followed,
  times: StreamTimes,
  signal: AbortSignal,
): Promise<void> {
  const untilMs = performance.now() + times.lifetimeMs;
  let [sentMs, checkedMs] = [performance.now(), performance.now()];
  let shown = '';
  let id = 0;
  while (!signal.aborted) {
    const { state, isLast } = await read();
    const text = JSON.stringify(state);
    const isRoomy = stream.readableLength <= waitingBytesMax;
    if (text !== shown && (isRoomy || isLast)) {
      stream.push(describeEvent(event, ++id, text));
      shown = text;
      sentMs = performance.now();
    } else if (isRoomy && performance.now() - sentMs >= times.heartbeatMs) {
      stream.push(': still here\n\n');
      sentMs = performance.now();
    }
    if (isLast) {
      stream.push(describeEvent('end', ++id, '{}'));
      return;
    }
    if (performance.now() >= untilMs) return;
    await delay(times.pollMs, undefined, { signal }).catch(() => {});
    if (performance.now() - checkedMs >= times.recheckMs && !signal.aborted) {
      await recheck();
      checkedMs = performance.now();
    }
  }
}

function describeEvent(event: string, id: number, data: string): string {
  return `event: ${event}\nid: ${id}\ndata: ${data}\n\n`;
}
