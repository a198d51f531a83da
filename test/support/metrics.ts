/** What looks at an instance's Redis could give. */
import type { Reading, Sample } from '../../src/metrics/parse-sample.ts';

/** A reading of a Redis that has done nothing, changed only where a test says so. */
export function reading(changes: Partial<Reading> = {}): Reading {
  return {
    runId: 'run-1',
    serverTimeUs: 1_700_000_000_000_000,
    commands: 0,
    bytesIn: 0,
    bytesOut: 0,
    hits: 0,
    misses: 0,
    evicted: 0,
    expired: 0,
    memoryUsed: 1_000_000,
    clients: 1,
    latency: {},
    ...changes,
  };
}

/** The same as a sample whose reader moved no bytes. */
export function sample(changes: Partial<Reading> = {}, own: Partial<Sample['own']> = {}): Sample {
  return { reading: reading(changes), own: { bytesIn: 0, bytesOut: 0, replyBytes: 0, ...own } };
}
