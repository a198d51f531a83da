/** A long load that leaves room, and whether the gateway grows under it. */
import type { BenchFront } from './bench-front.ts';
import { type HttpRequest, runWrk } from './wrk.ts';

/** Of the rate that it takes at most. */
const share = 0.6;
const peakSeconds = 10;
const connections = 64;
const stepSeconds = 10;
const stepsPerMinute = 60 / stepSeconds;
/** Until then the engine compiles and caches fill: no growth is read from it. */
const settlingMinutes = 2;

interface SoakOptions {
  readonly requests: readonly HttpRequest[];
  readonly minutes: number;
  say(text: string): void;
}

/**
 * Prints memory and handles each minute, and at the end the slope of both over the minutes after the first
 * ones, by least squares. Memory in steps may be the allocator's; so it says, too, what was alive after a
 * collection when the first minutes were over and is at the end, in all and for a request between them.
 */
export async function soak(
  gateway: BenchFront,
  { requests, minutes, say }: SoakOptions,
): Promise<void> {
  const peak = await runWrk(requests, { connections, seconds: peakSeconds });
  const wanted = peak.perSecond * share;
  say(`peak ${peak.perSecond.toFixed(0)} requests/s; ${wanted.toFixed(0)} for ${minutes} minutes`);
  const rows: { minute: number; rssMib: number; handles: number }[] = [];
  let settledLiveMib = 0;
  let requestsSince = 0;
  for (let minute = 1; minute <= minutes; minute += 1) {
    let answered = 0;
    let p99Ms = 0;
    for (let step = 0; step < stepsPerMinute; step += 1) {
      const pace = { connections, seconds: stepSeconds, perSecond: wanted };
      const figures = await runWrk(requests, pace);
      answered += figures.perSecond * stepSeconds;
      p99Ms = Math.max(p99Ms, figures.p99Ms);
    }
    const { rssMib, handles } = gateway.readFootprint();
    rows.push({ minute, rssMib, handles });
    const load = `${(answered / 60).toFixed(0)} requests/s, p99 ${p99Ms.toFixed(1)} ms`;
    say(`minute ${minute}: ${rssMib.toFixed(1)} MiB, ${handles} handles, ${load}`);
    if (minute > settlingMinutes) requestsSince += answered;
    else settledLiveMib = await gateway.readLiveMib();
  }
  const settled = rows.filter(({ minute }) => minute > settlingMinutes);
  const perHour = (of: (row: (typeof rows)[number]) => number): string =>
    (slope(settled.map((row) => [row.minute, of(row)] as const)) * 60).toFixed(1);
  say(
    `slope: ${perHour((row) => row.rssMib)} MiB an hour, ${perHour((row) => row.handles)} handles`,
  );
  const liveMib = await gateway.readLiveMib();
  const bytesEach = ((liveMib - settledLiveMib) * 2 ** 20) / Math.max(requestsSince, 1);
  say(
    `alive: ${settledLiveMib.toFixed(2)} MiB after minute ${settlingMinutes}, ${liveMib.toFixed(2)} MiB at ` +
      `the end: ${bytesEach.toFixed(3)} bytes for each of ${requestsSince.toFixed(0)} requests`,
  );
}

/** The least-squares slope of points; 0 where there are too few. */
function slope(points: readonly (readonly [number, number])[]): number {
  const meanOf = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / Math.max(values.length, 1);
  const meanX = meanOf(points.map(([x]) => x));
  const meanY = meanOf(points.map(([, y]) => y));
  const spreadX = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  const together = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  return spreadX === 0 ? 0 : together / spreadX;
}
