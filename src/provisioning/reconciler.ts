/**
 * The reconciler: makes every instance what its row wants.
 *
 * It is woken by use cases and by a timer, claims the rows that are not as wanted, and has a worker run
 * their stacks. Guarantees: it holds a lease on an instance while it works on it and renews it; whatever
 * step a run broke off at, the next try begins with recovery and ends in the same place; a create ends
 * RUNNING or, after a bounded number of tries, FAILED with a reason; a delete is tried until nothing is
 * left. A try is in attempt.ts, what it consists of in instance-steps.ts; what was observed is written in
 * transitions.ts.
 */
import { listRegions, type Region } from '../instances/regions.ts';
import type { Provisioner } from '../instances/services.ts';
import { type Repeating, startRepeating } from '../lib/repeat.ts';
import { attempt } from './attempt.ts';
import { deadlines } from './deadlines.ts';
import type { ReconcilerServices } from './instance-steps.ts';
import { claimNext, freeDeadLeases } from './leases.ts';
import { createLeftoverSweep } from './leftovers.ts';
import { isGoneFromHere, processIdentity } from './process-identity.ts';
import { RunError } from './worker-pool.ts';

const pollMs = 1_000;
/** Much of the work waits for Docker or Redis and needs no worker: it must not keep others from one. */
const inHandPerWorker = 4;
const deadIntervalMs = 5_000;

export interface Reconciler extends Provisioner {
  /** Frees what dead processes held and begins to work. */
  start(): Promise<void>;
  /**
   * Claims nothing more and waits for the work in hand, for a bounded time: what has not ended then is
   * handed back as it is. The pool must be closed beside it, which ends its runs.
   */
  stop(): Promise<void>;
}

export function createReconciler(services: ReconcilerServices): Reconciler {
  const { orm, clock, logger, pool } = services;
  const leases = { orm, clock, owner: processIdentity() };
  const inHand = new Map<string, Promise<void>>();
  const overdue = new AbortController();
  let stopping = false;
  const stop = { isBegun: () => stopping, overdue: overdue.signal };
  const onError = (error: unknown): void => {
    logger.warn({ err: error }, 'what the dead held was not looked for');
  };
  let releasing: Repeating | undefined;
  let timer: NodeJS.Timeout | undefined;
  let claiming: Promise<void> | undefined;
  let again = false;

  const fill = async (): Promise<void> => {
    while (!stopping && inHand.size < pool.size * inHandPerWorker) {
      const claim = await claimNext(leases, [...inHand.keys()]);
      if (!claim) return;
      const { instanceId } = claim;
      const work = attempt(services, leases, claim, stop).finally(() => {
        inHand.delete(instanceId);
        wake();
      });
      inHand.set(instanceId, work);
    }
  };
  const wake = (): void => {
    if (stopping) return;
    if (claiming) {
      again = true;
      return;
    }
    claiming = fill()
      .catch((error) => logger.error({ err: error }, 'claiming work failed'))
      .finally(() => {
        claiming = undefined;
        if (again) {
          again = false;
          wake();
        }
      });
  };

  return {
    wake,
    async start() {
      const sweepLeftovers = createLeftoverSweep(services);
      const release = async (): Promise<void> => {
        await freeDeadLeases(leases, isGoneFromHere);
        sweepLeftovers();
      };
      await release();
      releasing = startRepeating(release, { intervalMs: deadIntervalMs, onError });
      for (const region of listRegions(services.config)) warmRegion(services, region);
      timer = setInterval(wake, pollMs);
      wake();
    },
    async stop() {
      stopping = true;
      clearInterval(timer);
      const handBack = setTimeout(() => overdue.abort(), deadlines.handBackMs);
      await releasing?.stop();
      await claiming;
      await Promise.allSettled(inHand.values());
      clearTimeout(handBack);
    },
  };
}

function warmRegion({ regions, logger }: ReconcilerServices, region: Region): void {
  regions.ensure(region, false).catch((error) => {
    const diagnostics = error instanceof RunError ? error.failure.diagnostics : [String(error)];
    logger.warn({ region: region.region, diagnostics }, 'the region is not ready yet');
  });
}
