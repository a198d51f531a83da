import test from 'ava';
import { createHistogram, findBucket } from '../../../src/metrics/histogram.ts';

test('a value falls in the first bucket whose bound it does not pass', (t) => {
  t.deepEqual(
    [0, 1, 1.5, 2, 2.1].map((value) => findBucket([1, 2], value)),
    [0, 0, 1, 1, 2],
  );
});

test('a histogram tells its counts, what is beyond, and the sum', (t) => {
  const { note, read } = createHistogram([1, 2]);
  t.deepEqual(read(), [0, 0, 0, 0]);
  for (const value of [1, 2, 2, 9]) note(value);
  t.deepEqual(read(), [1, 2, 1, 14]);
});
