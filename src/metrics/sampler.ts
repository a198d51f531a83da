/**
 * Metrics: what each instance's Redis did, minute by minute.
 *
 * The sampler looks at every RUNNING instance every 15 s, in one round trip, and adds what its counters
 * gained since the look before (record-samples.ts) to the row of the minute. Rows of minutes become rows
 * of hours after a day, and those go after 30 days (roll-up.ts). read-metrics.ts is how they are read.
 *
 * Guarantees: nothing is counted twice, however many look at once and whatever dies in between, because
 * the counters as last seen are kept in the database and change in one transaction with what was gained.
 * A restart of this service loses nothing. A restart of Redis loses what it did since the last look.
 * An instance that does not answer costs a bounded time and no other instance anything. The platform's own
 * part is left out: its bytes as counted at its sockets, its commands by their names (parse-sample.ts).
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { servingStatuses } from '../instances/states.ts';
import { InstanceEntity } from '../store/entities/instance.ts';
import {
  createLooks,
  type LookServices,
  type Looks,
  type MetricsRefresher,
  type ReadableInstance,
} from './looks.ts';
import { tidyMetrics } from './roll-up.ts';

const sweepMs = 15_000;
/** A sweep is spread over its time in this many batches, or more where they would grow too large. */
const batchesMin = 5;
const batchInstancesMax = 50;
const tidyIntervalMs = 60_000;

export interface Sampler extends MetricsRefresher {
  start(): void;
  /** Ends the sweep under way and lets go of every connection; it may be started again. */
  stop(): Promise<void>;
}

export function createSampler(services: LookServices): Sampler {
  let ending = new AbortController();
  const looks = createLooks(services);
  let sweeping: Promise<void> | undefined;
  return {
    refresh: looks.refresh,
    start() {
      ending = new AbortController();
      sweeping = sweepForEver(services, looks, ending.signal);
    },
    async stop() {
      ending.abort();
      await sweeping;
      await looks.settled();
      services.reader.close();
    },
  };
}

async function sweepForEver(
  services: LookServices,
  looks: Looks,
  signal: AbortSignal,
): Promise<void> {
  let tidiedMs = Number.NEGATIVE_INFINITY;
  while (!signal.aborted) {
    const startedMs = performance.now();
    try {
      await sweep(services, looks, startedMs, signal);
      if (performance.now() - tidiedMs > tidyIntervalMs && !signal.aborted) {
        tidiedMs = performance.now();
        await tidyMetrics(services.orm, services.clock.now(), signal);
      }
    } catch (error) {
      services.logger.warn({ err: error }, 'a sweep of the metrics broke off');
    }
    await waitUntil(startedMs + sweepMs, signal);
  }
}

async function sweep(
  { orm, reader }: LookServices,
  looks: Looks,
  startedMs: number,
  signal: AbortSignal,
): Promise<void> {
  const instances: ReadableInstance[] = await orm.em
    .fork()
    .find(
      InstanceEntity,
      { status: { $in: [...servingStatuses] }, passwordSealed: { $ne: null } },
      { fields: ['id', 'nodeHost', 'nodePort', 'passwordSealed'], orderBy: { id: 1 } },
    );
  const ids = new Set(instances.map(({ id }) => id));
  reader.retain(ids);
  looks.forget(ids);
  const batches = Math.max(batchesMin, Math.ceil(instances.length / batchInstancesMax));
  const size = Math.ceil(instances.length / batches);
  const stepMs = sweepMs / batches;
  for (let first = 0; first < instances.length; first += size) {
    // Several services, and instances of one, do not look all in the same moment.
    const jitterMs = (Math.random() * stepMs) / 2;
    await waitUntil(startedMs + (first / size) * stepMs + jitterMs, signal);
    if (signal.aborted) return;
    await looks.lookAt(instances.slice(first, first + size));
  }
}

/** Waits until a time of performance.now() has come, or the signal. */
async function waitUntil(timeMs: number, signal: AbortSignal): Promise<void> {
  const leftMs = timeMs - performance.now();
  if (leftMs > 0) await sleep(leftMs, undefined, { signal }).catch(() => {});
}
