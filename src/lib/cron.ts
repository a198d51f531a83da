/** Times that come again, by cron expressions of five fields in UTC. */
import { Cron } from 'croner';

/** What comes more often than this is no schedule for something that takes time. */
const gapMinMs = 5 * 60_000;
/** How many times are looked at for the smallest gap: more than an irregular hour or day has. */
const lookedAt = 64;

/** The first time after `after`. @throws for an expression that `cronProblem` finds fault with. */
export function nextTime(expression: string, after: Date): Date | null {
  return new Cron(expression, { timezone: 'UTC', mode: '5-part' }).nextRun(after);
}

/** What is wrong with an expression, in words for its writer; undefined where nothing is. */
export function cronProblem(expression: string): string | undefined {
  let times: Date[];
  try {
    const cron = new Cron(expression, { timezone: 'UTC', mode: '5-part' });
    times = cron.nextRuns(lookedAt, new Date(Date.UTC(2024, 0, 1)));
  } catch {
    return 'must be a cron expression of five fields, e.g. "0 3 * * *" for 03:00 UTC each day';
  }
  if (times.length === 0) return 'must name a time that comes';
  const isDense = times.some((time, i) => {
    const before = times[i - 1];
    return before !== undefined && time.getTime() - before.getTime() < gapMinMs;
  });
  return isDense ? 'must leave at least five minutes between two times' : undefined;
}
