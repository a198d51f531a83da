/**
 * Keeps callers from waiting for an instance that does not answer.
 *
 * closed → (several failures in a row, within a window) → open: everyone is refused at once → (after a
 * short pause) one caller at a time is let through as the probe → any answer of the instance: closed.
 */
import { tooBusy } from '../failures.ts';
import type { LinkBounds } from './bounds.ts';

export interface Breaker {
  /** @throws {AppError} 503 while callers are refused. */
  admit(): void;
  /** The instance answered, be it with an error. */
  noteAnswer(): void;
  /** It could not be reached, or did not answer in time. */
  noteFailure(): void;
  /** Open, and not forgotten by everybody: what nobody asks for any more need not be kept. */
  readonly isOpen: boolean;
}

type BreakerBounds = Pick<
  LinkBounds,
  'breakerFailuresMax' | 'breakerWindowMs' | 'breakerPauseMs' | 'connectTimeoutMs'
>;

/** Makes the closed breaker of one instance. */
export function createBreaker(bounds: BreakerBounds): Breaker {
  let failures = 0;
  let firstFailureMs = 0;
  let isOpen = false;
  /** While open: when the next caller may probe. */
  let probeAtMs = 0;

  return {
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
    noteFailure() {
      const nowMs = performance.now();
      if (failures === 0 || (!isOpen && nowMs - firstFailureMs > bounds.breakerWindowMs)) {
        failures = 0;
        firstFailureMs = nowMs;
      }
      failures += 1;
      if (failures >= bounds.breakerFailuresMax) isOpen = true;
      if (isOpen) probeAtMs = nowMs + bounds.breakerPauseMs;
    },
  };
}
