/**
 * Looks at instances: read their counters, record what they gained.
 *
 * There is one look at an instance at a time in this process. Those of several instances share a
 * transaction; one that gave nothing the last time is looked at alone, so that nobody waits for it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Orm } from '../store/database.ts';
import type { Instance } from '../store/entities/instance.ts';
import type { Sample } from './parse-sample.ts';
import { recordSamples } from './record-samples.ts';

const refreshIntervalMs = 1_000;
const refreshTimeoutMs = 1_000;

/** What says where an instance's Redis is and how to sign in. */
export type ReadableInstance = Pick<Instance, 'id' | 'nodeHost' | 'nodePort' | 'passwordSealed'>;

/** The port to the instances' Redis, as the platform's user. */
export interface InstanceReader {
  /** Reads an instance's counters, within a bounded time. @throws when it does not answer. */
  read(instance: ReadableInstance): Promise<Sample>;
  /** Lets go of the connection to an instance. */
  drop(instanceId: string): void;
  /** Lets go of whatever is held for other instances than these. */
  retain(instanceIds: ReadonlySet<string>): void;
  close(): void;
}

/** The port for those who want what was done a moment ago. */
export interface MetricsRefresher {
  /**
   * Looks at an instance now, at most once a second and for at most a second; calls at the same time
   * share one look. Never rejects: what could not be read is as it was.
   */
  refresh(instance: ReadableInstance): Promise<void>;
}

export interface LookServices {
  readonly orm: Orm;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly reader: InstanceReader;
}

export interface Looks extends MetricsRefresher {
  /** Looks at those instances that nobody is looking at now. */
  lookAt(instances: readonly ReadableInstance[]): Promise<void>;
  /** Forgets what is known of other instances than these, and refreshes that are over. */
  forget(instanceIds: ReadonlySet<string>): void;
  settled(): Promise<void>;
}

export function createLooks(services: LookServices): Looks {
  const underWay = new Map<string, Promise<void>>();
  /** Those that gave nothing the last time: nobody waits for them but who asks for them. */
  const silent = new Set<string>();
  const refreshes = new Map<string, { readonly startedMs: number; readonly done: Promise<void> }>();

  const lookTogether = async (instances: readonly ReadableInstance[]): Promise<void> => {
    const look = readAndRecord(services, instances, silent).finally(() => {
      for (const { id } of instances) underWay.delete(id);
    });
    for (const { id } of instances) underWay.set(id, look);
    await look;
  };
  const lookAt = async (instances: readonly ReadableInstance[]): Promise<void> => {
    const free = instances.filter(({ id }) => !underWay.has(id));
    const answering = free.filter(({ id }) => !silent.has(id));
    const alone = free.filter(({ id }) => silent.has(id)).map((instance) => [instance]);
    await Promise.all([answering, ...alone].map(lookTogether));
  };
  const lookAnew = async (instance: ReadableInstance): Promise<void> => {
    // A look that began before the request may have missed what the caller did before it.
    for (let look = underWay.get(instance.id); look; look = underWay.get(instance.id)) await look;
    await lookAt([instance]);
  };
  return {
    lookAt,
    async refresh(instance) {
      const last = refreshes.get(instance.id);
      const isRecent = last && performance.now() - last.startedMs < refreshIntervalMs;
      const done = isRecent ? last.done : lookAnew(instance);
      if (!isRecent) refreshes.set(instance.id, { startedMs: performance.now(), done });
      await withinTime(done, refreshTimeoutMs);
    },
    forget(instanceIds) {
      for (const id of silent) {
        if (!instanceIds.has(id)) silent.delete(id);
      }
      const oldestMs = performance.now() - refreshIntervalMs;
      for (const [id, { startedMs }] of refreshes) {
        if (startedMs < oldestMs) refreshes.delete(id);
      }
    },
    async settled() {
      await Promise.all(underWay.values());
    },
  };
}

/** Never rejects: the next look finds whatever this one could not record. */
async function readAndRecord(
  services: LookServices,
  instances: readonly ReadableInstance[],
  silent: Set<string>,
): Promise<void> {
  const { orm, clock, logger, reader } = services;
  const samples = new Map<string, Sample>();
  await Promise.all(
    instances.map(async (instance) => {
      try {
        samples.set(instance.id, await reader.read(instance));
        silent.delete(instance.id);
      } catch (error) {
        silent.add(instance.id);
        logger.debug({ err: error, instanceId: instance.id }, 'an instance gave no metrics');
      }
    }),
  );
  if (samples.size === 0) return;
  try {
    await recordSamples(orm, samples, clock.now());
  } catch (error) {
    logger.warn({ err: error }, 'metrics were not recorded');
    // What these looks moved would count as a client's at the next one over the same connections.
    for (const instanceId of samples.keys()) reader.drop(instanceId);
  }
}

async function withinTime(work: Promise<void>, timeoutMs: number): Promise<void> {
  const timer = new AbortController();
  const timeout = sleep(timeoutMs, undefined, { signal: timer.signal }).catch(() => {});
  await Promise.race([work, timeout]);
  timer.abort();
}
