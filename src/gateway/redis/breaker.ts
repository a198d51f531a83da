/**
 * Keeps callers from waiting for an instance that does not answer.
 *
 * closed → (several failures in a row, within a window) → open: everyone is refused at once → (after a
 * short pause) one caller at a time is let through as the probe → any answer of the instance: closed.
 *
 * A command without its answer weighs as all failures but the last: Redis does one thing at a time, so it is
 * one slow command or a Redis that hangs. The next sign-in tells which, and has less time for it. Sooner than
 * a command's time is over the two cannot be told apart, and callers behind a slow command would be refused.
 */
import { tooBusy } from '../failures.ts';
import type { LinkBounds } from './bounds.ts';

export interface Breaker {
  /** @throws {AppError} 503 while callers are refused. */
  admit(): void;
  /** The instance answered, be it with an error. */
  noteAnswer(): void;
  /** It could not be reached, or did not let anybody sign in in time. */
  noteFailure(): void;
  /** A command had no answer in all its time. */
  noteSilence(): void;
  /** What signing in may take as things stand. */
  readonly connectTimeoutMs: number;
  /** Open, and not forgotten by everybody: what nobody asks for any more need not be kept. */
  readonly isOpen: boolean;
}

type BreakerBounds = Pick<
  LinkBounds,
  | 'breakerFailuresMax'
  | 'breakerWindowMs'
  | 'breakerPauseMs'
  | 'connectTimeoutMs'
  | 'suspectConnectTimeoutMs'
>;

/** Makes the closed breaker of one instance. */
export function createBreaker(bounds: BreakerBounds): Breaker {
  let failures = 0;
  let firstFailureMs = 0;
  let isOpen = false;
  /** While open: when the next caller may probe. */
  let probeAtMs = 0;

  function note(weight: number): void {
    const nowMs = performance.now();
    if (failures === 0 || (!isOpen && nowMs - firstFailureMs > bounds.breakerWindowMs)) {
      failures = 0;
      firstFailureMs = nowMs;
    }
    failures += weight;
    if (failures >= bounds.breakerFailuresMax) isOpen = true;
    if (isOpen) probeAtMs = nowMs + bounds.breakerPauseMs;
  }

  return {
    get connectTimeoutMs() {
      return failures === 0 ? bounds.connectTimeoutMs : bounds.suspectConnectTimeoutMs;
    },
    get isOpen() {
      return isOpen && performance.now() < probeAtMs + bounds.breakerWindowMs;
    },
    admit() {
      if (!isOpen) return;
      const nowMs = performance.now();
      if (nowMs < probeAtMs) throw tooBusy('Redis does not answer; try again in a moment');
      // A probe that nobody hears of again must not be the last one.
      probeAtMs = nowMs + bounds.connectTimeoutMs;
    },
    noteAnswer() {
      if (failures === 0) return;
      failures = 0;
      isOpen = false;
    },
    noteFailure: () => note(1),
    noteSilence: () => note(Math.max(1, bounds.breakerFailuresMax - 1)),
  };
}
