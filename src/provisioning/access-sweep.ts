/**
 * The sweep: sees to it that every running instance has the users the database says, whatever happened.
 *
 * Once a second it takes expired keys away and goes to the instances whose Redis has not followed a change
 * (it did not answer, or the service died between the database and Redis). And it compares every instance,
 * a few a second, and mends what was changed past the service; access.ts writes that to the audit log.
 *
 * Guarantees: an expired key is out of Redis within about a second; a bounded number of instances is asked
 * at once; one that does not answer is asked again every few seconds, is logged once until it answers, and
 * keeps no other waiting for long.
 */

import { raw } from '@mikro-orm/core';
import { servingStatuses } from '../instances/states.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { EntityManager, Orm } from '../store/database.ts';
import { DataKeyEntity, KeyBindingEntity } from '../store/entities/data-key.ts';
import { InstanceEntity } from '../store/entities/instance.ts';
import type { AccessSync } from './access.ts';

interface SweepServices {
  readonly orm: Orm;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly accessSync: AccessSync;
  /** Drops what the gateway and the door hold of a key. */
  readonly dropKey: (keyId: string) => void;
}

interface SweepTimes {
  readonly tickMs: number;
  /** In which every instance is compared once. */
  readonly cycleMs: number;
  /** The wait before an instance that did not answer is asked again. */
  readonly retryMs: number;
}

// Half of the minute in which what was changed by hand is to be mended, as a look may fail.
const defaultTimes: SweepTimes = { tickMs: 1_000, cycleMs: 30_000, retryMs: 5_000 };
const atOnceMax = 4;

export interface AccessSweep {
  start(): void;
  /** Begins nothing more and waits for what is under way. */
  stop(): Promise<void>;
}

export function createAccessSweep(
  services: SweepServices,
  times: SweepTimes = defaultTimes,
): AccessSweep {
  const { clock, logger } = services;
  const workers = createMenders(services, times);
  const nextOfCycle = createCycle(services, times);
  let timer: NodeJS.Timeout | undefined;
  let ticking: Promise<void> | undefined;
  let isFailing = false;
  // At the start, every key that has expired: nobody took them away while the service was down.
  let lookedAt = new Date(0);

  async function tick(): Promise<void> {
    const now = clock.now();
    await takeExpiredKeys(services, lookedAt, now);
    lookedAt = now;
    workers.add(await listUnfollowed(services.orm), 'urgent');
    workers.add(await nextOfCycle(), 'routine');
  }

  function beginTick(): void {
    ticking ??= tick()
      .then(
        () => {
          isFailing = false;
        },
        (error: unknown) => {
          if (!isFailing) logger.error({ err: error }, 'the sweep of access failed');
          isFailing = true;
        },
      )
      .finally(() => {
        ticking = undefined;
      });
  }

  return {
    start() {
      timer = setInterval(beginTick, times.tickMs);
      beginTick();
    },
    async stop() {
      clearInterval(timer);
      await ticking;
      await workers.stop();
    },
  };
}

interface Menders {
  /** Asks for instances to be mended, urgent ones first; those that wait already are not added again. */
  add(instanceIds: readonly string[], urgency: 'urgent' | 'routine'): void;
  stop(): Promise<void>;
}

function createMenders({ logger, orm, accessSync }: SweepServices, times: SweepTimes): Menders {
  const waiting = { urgent: new Set<string>(), routine: new Set<string>() };
  const inHand = new Map<string, Promise<void>>();
  /** Those that did not answer, with the time of their next try. */
  const silent = new Map<string, number>();
  let isStopped = false;

  async function mend(instanceId: string): Promise<void> {
    try {
      const where = { id: instanceId, status: { $in: [...servingStatuses] } };
      const isRunning = (await orm.em.fork().count(InstanceEntity, where)) > 0;
      if (isRunning) await accessSync.sync(instanceId);
      if (silent.delete(instanceId) && isRunning) {
        logger.info({ instanceId }, 'the instance answers again: its access is as it should be');
      }
    } catch (error) {
      // Its words only: ioredis hangs commands with their arguments on its errors.
      const reason = error instanceof Error ? error.message : String(error);
      if (!silent.has(instanceId) && !isStopped) {
        logger.warn({ instanceId, reason }, 'access could not be compared');
      }
      silent.set(instanceId, performance.now() + times.retryMs);
    }
  }

  function begin(): void {
    for (const queue of [waiting.urgent, waiting.routine]) {
      for (const id of queue) {
        if (isStopped || inHand.size >= atOnceMax) return;
        if (inHand.has(id)) continue;
        queue.delete(id);
        const work = mend(id).finally(() => {
          inHand.delete(id);
          begin();
        });
        inHand.set(id, work);
      }
    }
  }

  return {
    add(instanceIds, urgency) {
      const nowMs = performance.now();
      for (const id of instanceIds) {
        if ((silent.get(id) ?? 0) <= nowMs && !inHand.has(id)) waiting[urgency].add(id);
      }
      begin();
    },
    async stop() {
      isStopped = true;
      await Promise.all(inHand.values());
    },
  };
}

/** Gives, at every tick, the next of the running instances, so that all have had their turn in a cycle. */
function createCycle(
  { orm }: SweepServices,
  { tickMs, cycleMs }: SweepTimes,
): () => Promise<string[]> {
  let left: string[] = [];
  let portion = 0;
  let nextBeginMs = Number.NEGATIVE_INFINITY;
  return async () => {
    if (left.length === 0 && performance.now() >= nextBeginMs) {
      nextBeginMs = performance.now() + cycleMs;
      const options = { fields: ['id'], orderBy: { id: 1 } } as const;
      const running = await orm.em
        .fork()
        .find(InstanceEntity, { status: { $in: [...servingStatuses] } }, options);
      left = running.map(({ id }) => id);
      portion = Math.ceil((left.length * tickMs) / cycleMs);
    }
    return left.splice(0, portion);
  };
}

/** The running instances whose Redis has not followed the latest change of their keys. */
async function listUnfollowed(orm: Orm): Promise<string[]> {
  const rows: { id: string }[] = await (orm.em.fork() as EntityManager).getConnection().execute(
    `select id from instances
        where status in ('RUNNING', 'DEGRADED') and access_applied_revision < access_revision order by id`,
  );
  return rows.map(({ id }) => id);
}

/** Makes it known that keys have expired: to the gateway and the door now, to Redis by the revision. */
async function takeExpiredKeys(
  { orm, dropKey }: SweepServices,
  since: Date,
  now: Date,
): Promise<void> {
  const em = orm.em.fork() as EntityManager;
  const where = { expiresAt: { $gt: since, $lte: now } };
  const keys = await em.find(DataKeyEntity, where, { fields: ['id'] });
  if (keys.length === 0) return;
  const keyIds = keys.map(({ id }) => id);
  const bindings = await em.find(KeyBindingEntity, { keyId: { $in: keyIds } });
  const instanceIds = [...new Set(bindings.map(({ instanceId }) => instanceId))].sort();
  for (const id of instanceIds) {
    // One statement each: whoever locks several instances does so in the order of their ids.
    const accessRevision = raw<number>('access_revision + 1');
    await em.nativeUpdate(InstanceEntity, { id }, { accessRevision });
  }
  for (const id of keyIds) dropKey(id);
}
