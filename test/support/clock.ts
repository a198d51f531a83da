import type { Clock } from '../../src/lib/clock.ts';

/** A clock that stands still until a test moves it. */
export function createTestClock(start = '2024-01-15T10:30:00.000Z'): Clock & {
  advance(ms: number): void;
} {
  let nowMs = Date.parse(start);
  return {
    now: () => new Date(nowMs),
    advance(ms) {
      nowMs += ms;
    },
  };
}
