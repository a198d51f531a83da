import test from 'ava';
import fc from 'fast-check';
import { addBuckets, percentile, subtractBuckets } from '../../../src/metrics/latency.ts';

const bounds = Array.from({ length: 21 }, (_, power) => 2 ** power);
const latencies = fc.array(fc.integer({ min: 1, max: 1_000_000 }), {
  minLength: 1,
  maxLength: 300,
});
const shares = fc.double({ min: 0.001, max: 1, noNaN: true });

/** As Redis puts them: each time in the first bucket whose bound is not below it. */
function toBuckets(timesUs: readonly number[]): Record<string, number> {
  const buckets: Record<string, number> = {};
  for (const timeUs of timesUs) {
    const bound = String(bounds.find((candidate) => timeUs <= candidate));
    buckets[bound] = (buckets[bound] ?? 0) + 1;
  }
  return buckets;
}

test('a percentile lies in the bucket of the true one, so it is off by less than two', (t) => {
  fc.assert(
    fc.property(latencies, shares, (timesUs, share) => {
      const sorted = [...timesUs].sort((a, b) => a - b);
      const rank = Math.max(1, Math.ceil(sorted.length * share));
      const truth = sorted[rank - 1] ?? 0;
      const found = percentile(toBuckets(timesUs), share) ?? 0;
      const bound = bounds.find((candidate) => truth <= candidate) ?? 0;
      return found <= bound && found >= bound / 2 && Number.isInteger(found);
    }),
  );
  t.pass();
});

test('a higher share never gives a shorter time', (t) => {
  fc.assert(
    fc.property(latencies, shares, shares, (timesUs, one, other) => {
      const buckets = toBuckets(timesUs);
      const [low, high] = [Math.min(one, other), Math.max(one, other)];
      return (percentile(buckets, low) ?? 0) <= (percentile(buckets, high) ?? 0);
    }),
  );
  t.pass();
});

test('the whole is the sum of its parts, however it is split', (t) => {
  fc.assert(
    fc.property(latencies, latencies, shares, (one, other, share) => {
      const sum = addBuckets(toBuckets(one), toBuckets(other));
      t.deepEqual(sum, toBuckets([...one, ...other]));
      t.deepEqual(subtractBuckets(sum, toBuckets(one)), toBuckets(other));
      return percentile(sum, share) === percentile(toBuckets([...other, ...one]), share);
    }),
  );
});

test('what was reset cannot be subtracted, and no call has no percentile', (t) => {
  t.is(subtractBuckets({ 1: 3 }, { 1: 4 }), undefined);
  t.is(subtractBuckets({}, { 8: 1 }), undefined);
  t.is(percentile({}, 0.5), null);
  t.is(percentile({ 8: 0 }, 0.5), null);
});

test('within a bucket calls are taken as evenly spread', (t) => {
  t.is(percentile({ 8: 4 }, 0.5), 6);
  t.is(percentile({ 8: 4 }, 1), 8);
  t.is(percentile({ 1: 99, 1024: 1 }, 0.99), 1);
  t.is(percentile({ 1: 98, 1024: 2 }, 0.99), 768);
});
