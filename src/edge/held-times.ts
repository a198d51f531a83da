/**
 * How long the door holds what comes, either way: from when it has read it until the other side's socket has
 * taken all of it. Of the chunks only some are measured, so that the others pay a subtraction.
 */
import { createHistogram } from '../metrics/histogram.ts';

/** One chunk in so many: a prime, or of callers that take turns it might always be the same one's. */
const sampleEvery = 61;

/** The upper bounds of the buckets, in seconds. */
export const boundsS = [
  0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.0025, 0.005, 0.01, 0.025,
  0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const;

export interface HeldTimes {
  /** Looks at a chunk that has come. @returns what to call when it is gone; undefined for most. */
  sample(): (() => void) | undefined;
  /** The histogram's numbers: a count for each bucket, one beyond all, and the sum in seconds. */
  read(): number[];
}

export function createHeldTimes(): HeldTimes {
  const histogram = createHistogram(boundsS);
  let left = 1;
  return {
    sample() {
      left -= 1;
      if (left > 0) return undefined;
      left = sampleEvery;
      const sinceMs = performance.now();
      return () => histogram.note((performance.now() - sinceMs) / 1_000);
    },
    read: histogram.read,
  };
}
