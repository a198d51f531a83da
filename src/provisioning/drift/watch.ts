/**
 * The watch: notices what becomes of instances past the service, and has it mended or told.
 *
 *   every 2 s, or when Docker tells of a container: rows ─► containers and volumes of each host ─► compare ─► act
 *   beside it, every few seconds: each running Redis's settings and users
 *
 * Guarantees: a container that is removed, stopped, paused or given other limits, a removed volume and
 * changed settings or users are noticed within 5 s. Only settled rows are judged, by a look that began after
 * they were read, and what an operator did with Pulumi is adopted, not drift (act.ts): a run in progress is
 * never taken for a fault. A look costs a host two queries whatever the number of its instances, and its
 * pause grows with its time. A host that does not answer is logged once, and nothing is concluded from it.
 *
 * One server watches at a time (a duty): start and stop may follow each other at will.
 */
import type Docker from 'dockerode';
import type { Config } from '../../config.ts';
import { listRegions } from '../../instances/regions.ts';
import type { AccessSync } from '../access.ts';
import { connectDocker } from '../docker.ts';
import type { InstanceClients } from '../instance-redis.ts';
import { type ActServices, actOnDrift, noteOutOfMemory } from './act.ts';
import { type Alarm, createAlarm } from './alarm.ts';
import { compare, type Difference, isSeenWhole, type Sight } from './compare.ts';
import { type ContainerEvent, followEvents } from './docker-events.ts';
import { type JudgedRow, listSettled, versionOf } from './judged-rows.ts';
import { createLimits, type Limits } from './limits.ts';
import { type DockerSight, lookAtDocker } from './look-at-docker.ts';
import { createRedisLooks, type RedisLooks } from './look-at-redis.ts';

export interface DriftServices extends ActServices {
  readonly config: Config;
  readonly clients: InstanceClients;
  readonly accessSync: AccessSync;
  readonly installationId: string;
}

export interface DriftWatch {
  start(): void;
  /** Begins nothing more and waits for what is under way. */
  stop(): Promise<void>;
}

/** Between looks; where they take long, they are rarer. */
const pauseMs = { min: 2_000, max: 4_000 };
const pausePerLook = 20;
/** Before a look that an event asks for. */
const rungPauseMs = { min: 300, max: 1_000 };
/** The kernel may end several processes at once: that is one event for people. */
const outOfMemoryPauseMs = 5_000;

export function createDriftWatch(services: DriftServices): DriftWatch {
  let hosts: HostWatch[] = [];
  return {
    start() {
      const byHost = Map.groupBy(listRegions(services.config), ({ dockerHost }) => dockerHost);
      hosts = [...byHost].map(([dockerHost, regions]) => {
        const names = regions.map(({ region }) => region);
        return watchHost(services, connectDocker(dockerHost), names);
      });
    },
    async stop() {
      const ending = hosts;
      hosts = [];
      await Promise.all(ending.map((host) => host.stop()));
    },
  };
}

function clamp(value: number, { min, max }: { min: number; max: number }): number {
  return Math.min(max, Math.max(min, value));
}

interface HostWatch {
  stop(): Promise<void>;
}

function watchHost(services: DriftServices, docker: Docker, regions: readonly string[]): HostWatch {
  const { logger, installationId } = services;
  const stopped = new AbortController();
  const { signal } = stopped;
  const alarm = createAlarm(signal);
  const limits = createLimits(docker, logger);
  const redisLooks = createRedisLooks({ ...services, onChange: () => alarm.ring() });
  const onEvent = createEventReader(services, limits, () => alarm.ring());
  const following = followEvents(docker, installationId, { signal, onEvent });
  const host: Host = { docker, regions, limits, redisLooks, alarm, suspects: new Map() };
  let isFailing = false;

  async function run(): Promise<void> {
    while (!signal.aborted) {
      const beganMs = performance.now();
      try {
        await look(services, host);
        isFailing = false;
      } catch (error) {
        if (!isFailing) logger.error({ err: error }, 'the watch could not look at a Docker host');
        isFailing = true;
      }
      const tookMs = performance.now() - beganMs;
      await alarm.sleep(clamp(pausePerLook * tookMs, pauseMs), clamp(tookMs, rungPauseMs));
    }
  }

  const running = run();
  return {
    async stop() {
      stopped.abort();
      await Promise.all([running, following]);
      await redisLooks.settled();
    },
  };
}

interface Host {
  readonly docker: Docker;
  readonly regions: readonly string[];
  readonly limits: Limits;
  readonly redisLooks: RedisLooks;
  readonly alarm: Alarm;
  /** What differed at the look before, by instance. */
  suspects: ReadonlyMap<string, string>;
}

/**
 * One look. The rows come first: what is seen is not older than they are. Two looks in succession must see
 * the same: a `docker restart` is over within a moment. One that Docker starts again and again is waited for
 * longer, until it waits between the starts itself.
 */
async function look(services: DriftServices, host: Host): Promise<void> {
  const { limits, redisLooks } = host;
  const rows = await listSettled(services, host.regions);
  if (rows.length === 0) return;
  const seen = await lookAtDocker(host.docker, services.installationId);
  await limits.refresh(rows, seen);
  const suspects = new Map<string, string>();
  for (const row of rows) {
    const sight = sightOf(host, row, seen);
    const differences = compare(row, sight);
    const hasEnded = row.drift.length > 0 && isSeenWhole(row, sight);
    if (differences.length === 0 && !hasEnded) continue;
    const print = JSON.stringify([versionOf(row), differences]);
    suspects.set(row.id, print);
    if (host.suspects.get(row.id) === print) await judge(services, row, differences);
    else if (seen.containers.get(row.id)?.state !== 'restarting') host.alarm.ring();
  }
  host.suspects = suspects;
  const running = rows.filter(({ id, power }) => {
    return power === 'on' && seen.containers.get(id)?.state === 'running';
  });
  redisLooks.keepOnly(new Set(running.map(({ id }) => id)));
  redisLooks.begin(running);
}

function sightOf(
  { limits, redisLooks }: Host,
  row: JudgedRow,
  { containers, volumes }: DockerSight,
): Sight {
  const container = containers.get(row.id);
  return {
    container,
    volumeCreatedAt: volumes.get(row.id),
    limits: container && limits.of(container.id, row),
    parameters: container?.state === 'running' ? redisLooks.parametersOf(row) : undefined,
  };
}

async function judge(
  services: DriftServices,
  row: JudgedRow,
  differences: readonly Difference[],
): Promise<void> {
  try {
    await actOnDrift(services, row, differences);
  } catch (error) {
    // The others are judged all the same; this one again at the next look.
    services.logger.error({ err: error, instanceId: row.id }, 'drift could not be acted on');
  }
}

function createEventReader(
  services: DriftServices,
  limits: Limits,
  ring: () => void,
): (event: ContainerEvent) => void {
  const toldAtMs = new Map<string, number>();
  return ({ action, containerId, instanceId }) => {
    limits.forget(containerId);
    ring();
    if (action === 'destroy') toldAtMs.delete(instanceId);
    if (action !== 'oom') return;
    const nowMs = performance.now();
    if (nowMs - (toldAtMs.get(instanceId) ?? -outOfMemoryPauseMs) < outOfMemoryPauseMs) return;
    toldAtMs.set(instanceId, nowMs);
    noteOutOfMemory(services, instanceId).catch((error: unknown) => {
      services.logger.error({ err: error, instanceId }, 'an event could not be noted');
    });
  };
}
