/**
 * Where a rate's points of one second are kept, so that whoever spends of it cannot spend more than there are.
 *
 * A process takes points in advance and spends them by itself (meter.ts); a store only has to be asked
 * about twenty times a second for a rate, however many requests there are. Windows are whole seconds of the
 * store's own clock.
 */
import type { Logger } from '../../lib/logger.ts';

export const windowMs = 1_000;

/** What is asked of a store. */
export interface RateRequest {
  /** Whose rate: the id of a key or of an organization. */
  readonly name: string;
  /** Points that there are in a window. */
  readonly limit: number;
  /** Points that are wanted. */
  readonly points: number;
}

/** What a store gives: so many points, good for so long from the moment it was asked. */
export interface Reservation {
  /** At most what was wanted; less only where the window has no more. */
  readonly granted: number;
  /** Points that nobody has taken yet. */
  readonly remaining: number;
  readonly restMs: number;
}

export interface RateStore {
  reserve(request: RateRequest): Reservation | Promise<Reservation>;
  /**
   * Which part of a limit a process may spend of a window before it has asked: what little is used costs the
   * store nothing then. By so much, a process, the sum may pass the limit.
   */
  readonly unaskedShare: number;
}

/** A store that answers at once. */
export interface MemoryStore extends RateStore {
  reserve(request: RateRequest): Reservation;
}

/**
 * Makes a store in this process's memory: for one process, or for the parent of several. It answers at once
 * and lets nothing pass the limit.
 * @param now milliseconds of a clock that is never set back.
 */
export function createMemoryStore(now: () => number = () => performance.now()): MemoryStore {
  const used = new Map<string, number>();
  let window = -1;
  return {
    unaskedShare: 0,
    reserve({ name, limit, points }) {
      const nowMs = now();
      const current = Math.floor(nowMs / windowMs);
      if (current !== window) used.clear();
      window = current;
      const usedBefore = used.get(name) ?? 0;
      used.set(name, usedBefore + points);
      const restMs = (current + 1) * windowMs - nowMs;
      return { ...share(limit, usedBefore, points), restMs };
    },
  };
}

/** What is granted of a window of which `usedBefore` was asked for already. */
export function share(
  limit: number,
  usedBefore: number,
  points: number,
): Pick<Reservation, 'granted' | 'remaining'> {
  const free = Math.max(0, limit - usedBefore);
  const granted = Math.min(points, free);
  return { granted, remaining: free - granted };
}

const answerTimeoutMs = 500;
const aloneMs = 5_000;
/** Of a limit of 1,000 it is ten a second. */
const remoteUnaskedShare = 0.01;

/**
 * Makes a store of a way to ask another process or a database. Where that fails, or takes longer than half a
 * second, this process holds the limit by itself for five seconds, and says so in the log: a limit that
 * nobody can count must not refuse everybody.
 */
export function createRemoteStore(
  ask: (request: RateRequest) => Promise<Reservation>,
  logger: Pick<Logger, 'warn'>,
): RateStore {
  const own = createMemoryStore();
  let aloneUntilMs = 0;

  function holdAlone(error: unknown): void {
    if (aloneUntilMs > performance.now()) return;
    aloneUntilMs = performance.now() + aloneMs;
    // Only its kind: a database's message may quote the query.
    const kind = error instanceof Error ? error.name : typeof error;
    logger.warn({ kind }, 'rates cannot be shared with other processes at the moment');
  }

  async function reserveThere(request: RateRequest): Promise<Reservation> {
    const askedMs = performance.now();
    try {
      return await withinTime(ask(request));
    } catch (error) {
      holdAlone(error);
      const reservation = own.reserve(request);
      return { ...reservation, restMs: performance.now() - askedMs + reservation.restMs };
    }
  }

  return {
    unaskedShare: remoteUnaskedShare,
    reserve(request) {
      const isAlone = aloneUntilMs > performance.now();
      return isAlone ? own.reserve(request) : reserveThere(request);
    },
  };
}

async function withinTime<T>(asked: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('no answer in time')), answerTimeoutMs);
  try {
    return await Promise.race([asked, late]);
  } finally {
    clearTimeout(timer);
  }
}
