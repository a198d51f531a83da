/** What an instance did between two looks at its counters. */
import { addBuckets, type LatencyBuckets, subtractBuckets } from './latency.ts';
import { type Counters, counterNames, type Sample } from './parse-sample.ts';

/** The counters as they were last seen. */
export interface Baseline extends Counters {
  /** The Redis process they are of; none where an instance had a history before it was first looked at. */
  readonly runId?: string | null | undefined;
  readonly serverTimeUs: number;
  readonly latency: LatencyBuckets;
}

export interface Gain extends Counters {
  readonly latency: LatencyBuckets;
}

/** Where a Redis process begins. */
export const zero: Gain = {
  commands: 0,
  bytesIn: 0,
  bytesOut: 0,
  hits: 0,
  misses: 0,
  evicted: 0,
  expired: 0,
  latency: {},
};

/** A look that is older than the last by less than this was overtaken; else the host's clock was set. */
const overtakenUsMax = 60_000_000;

/**
 * What was gained since the baseline; from zero where Redis began anew (another process, or its counters
 * were reset). Gives undefined for a look that a later one has overtaken: it must not be recorded.
 */
export function measureGain(
  baseline: Baseline | undefined,
  { reading, own }: Sample,
): Gain | undefined {
  if (baseline) {
    const ageUs = baseline.serverTimeUs - reading.serverTimeUs;
    if (ageUs >= 0 && ageUs < overtakenUsMax) return undefined;
    // What was done before anybody looked cannot be told by minutes.
    if (!baseline.runId) return zero;
  }
  const goesOn = baseline?.runId === reading.runId && hasOnlyGrown(baseline, reading);
  const from = goesOn ? baseline : zero;
  const gained = (name: keyof Counters): number => Math.max(0, reading[name] - from[name]);
  return {
    commands: gained('commands'),
    bytesIn: Math.max(0, gained('bytesIn') - own.bytesIn),
    bytesOut: Math.max(0, gained('bytesOut') - own.bytesOut),
    hits: gained('hits'),
    misses: gained('misses'),
    evicted: gained('evicted'),
    expired: gained('expired'),
    latency: subtractBuckets(reading.latency, from.latency) ?? {},
  };
}

/** The baseline that this look leaves. The bytes of its own answer are counted before the next one. */
export function baselineAfter({ reading, own }: Sample): Baseline & { runId: string } {
  const { runId, serverTimeUs, latency } = reading;
  return {
    runId,
    serverTimeUs,
    latency,
    ...pickCounters(reading),
    bytesOut: reading.bytesOut + own.replyBytes,
  };
}

export function addGains(one: Gain, other: Gain): Gain {
  const sums = counterNames.map((name) => [name, one[name] + other[name]] as const);
  const latency = addBuckets(one.latency, other.latency);
  return { ...(Object.fromEntries(sums) as unknown as Counters), latency };
}

function pickCounters(from: Counters): Counters {
  const entries = counterNames.map((name) => [name, from[name]] as const);
  return Object.fromEntries(entries) as unknown as Counters;
}

/** Bytes are no sign: an answer that was cut off may be in the baseline and not in the counters. */
function hasOnlyGrown(baseline: Baseline, reading: Counters & Pick<Baseline, 'latency'>): boolean {
  const steady = ['commands', 'hits', 'misses', 'evicted', 'expired'] as const;
  return (
    steady.every((name) => reading[name] >= baseline[name]) &&
    subtractBuckets(reading.latency, baseline.latency) !== undefined
  );
}
