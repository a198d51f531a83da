/**
 * How many commands a second a key is refused at once. Each costs its instance an unknown command and the door
 * the replacing of a line; what goes beyond waits for its rate instead, and its connection is not read on.
 */

/** Enough for a large pipeline to be told whole; for Redis a few thousandths of a second. */
export const refusalsPerSecondMax = 1_000;
const windowMs = 1_000;

export interface RefusalAllowance {
  /** Takes one of this second's. @returns whether there was one. */
  take(): boolean;
}

/** @param now milliseconds of a clock that is never set back. */
export function createRefusalAllowance(
  now: () => number = () => performance.now(),
): RefusalAllowance {
  let left = 0;
  let endMs = Number.NEGATIVE_INFINITY;
  return {
    take() {
      const nowMs = now();
      if (nowMs >= endMs) {
        endMs = nowMs + windowMs;
        left = refusalsPerSecondMax;
      }
      if (left === 0) return false;
      left -= 1;
      return true;
    },
  };
}
