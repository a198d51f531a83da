/** Counts values in buckets: plain numbers, so that a process can tell another and both be added. */

export interface Histogram {
  note(value: number): void;
  /** A count for each bucket, one for what is beyond all bounds, and the sum of all values. */
  read(): number[];
}

/** @param bounds the upper bounds of the buckets, in order. */
export function createHistogram(bounds: readonly number[]): Histogram {
  const numbers = bounds.map(() => 0).concat(0, 0);
  const sumAt = bounds.length + 1;
  const increase = (index: number, by: number): void => {
    numbers[index] = (numbers[index] ?? 0) + by;
  };
  return {
    note(value) {
      increase(findBucket(bounds, value), 1);
      increase(sumAt, value);
    },
    read: () => [...numbers],
  };
}

/** Gives the number of the bucket that a value falls in; beyond all bounds it is their number. */
export function findBucket(bounds: readonly number[], value: number): number {
  let bucket = 0;
  for (const bound of bounds) {
    if (value <= bound) return bucket;
    bucket += 1;
  }
  return bucket;
}
