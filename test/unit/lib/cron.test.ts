import test from 'ava';
import { cronProblem, nextTime } from '../../../src/lib/cron.ts';

test('times are in UTC, and the next one is later than now', (t) => {
  const noon = new Date('2024-03-31T12:00:00Z');
  t.deepEqual(nextTime('0 3 * * *', noon), new Date('2024-04-01T03:00:00Z'));
  t.deepEqual(nextTime('0 12 * * *', noon), new Date('2024-04-01T12:00:00Z'));
  t.deepEqual(nextTime('30 2 * * SUN', noon), new Date('2024-04-07T02:30:00Z'));
});

test('what is no schedule, never comes or comes too often is said to be so', (t) => {
  for (const fine of ['0 3 * * *', '*/5 * * * *', '0 0 29 2 *', '0 4 1 * *']) {
    t.is(cronProblem(fine), undefined, fine);
  }
  for (const bad of ['', 'x', '0 3 * *', '0 3 * * * *', '60 * * * *']) {
    t.regex(cronProblem(bad) ?? '', /five fields/, bad);
  }
  t.regex(cronProblem('0 0 31 2 *') ?? '', /that comes/);
  for (const dense of ['* * * * *', '*/4 * * * *', '0,59 * * * *']) {
    t.regex(cronProblem(dense) ?? '', /five minutes/, dense);
  }
});
