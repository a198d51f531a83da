/**
 * Latencies as Redis keeps them: how many calls took up to 1, 2, 4, … microseconds. Buckets can be added
 * and subtracted, which percentiles cannot.
 */

/** Calls by their bucket's upper bound in microseconds; each bucket begins at half its bound. */
export type LatencyBuckets = Readonly<Record<string, number>>;

export function addBuckets(one: LatencyBuckets, other: LatencyBuckets): LatencyBuckets {
  const sum: Record<string, number> = { ...one };
  for (const [bound, calls] of Object.entries(other)) sum[bound] = (sum[bound] ?? 0) + calls;
  return sum;
}

/** What `later` has more than `earlier`; undefined where it has less of something. */
export function subtractBuckets(
  later: LatencyBuckets,
  earlier: LatencyBuckets,
): LatencyBuckets | undefined {
  const rest: Record<string, number> = {};
  for (const bound of new Set([...Object.keys(later), ...Object.keys(earlier)])) {
    const calls = (later[bound] ?? 0) - (earlier[bound] ?? 0);
    if (calls < 0) return undefined;
    if (calls > 0) rest[bound] = calls;
  }
  return rest;
}

/**
 * The time within which a share of the calls ended, in whole microseconds; null without a call.
 *
 * Within a bucket calls are taken as evenly spread, and the result is rounded up. So it lies in the same
 * bucket as the true value, and is wrong by less than a factor of two.
 * @param share above 0, up to 1; e.g. 0.99.
 */
export function percentile(buckets: LatencyBuckets, share: number): number | null {
  const sorted = Object.entries(buckets)
    .map(([bound, calls]) => ({ bound: Number(bound), calls }))
    .filter(({ calls }) => calls > 0)
    .sort((a, b) => a.bound - b.bound);
  const total = sorted.reduce((sum, { calls }) => sum + calls, 0);
  // The rank of a call, so a whole one: the median of three calls is the second.
  const rank = Math.max(1, Math.ceil(total * share));
  let before = 0;
  for (const { bound, calls } of sorted) {
    if (before + calls >= rank) {
      const within = (rank - before) / calls;
      return Math.ceil(bound / 2 + (bound / 2) * within);
    }
    before += calls;
  }
  return null;
}
