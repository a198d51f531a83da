/**
 * The reconciler: makes every instance what its row wants.
 *
 * It is woken by use cases and by a timer, claims the rows that are not as wanted, and has a worker run
 * their stacks. Guarantees: it holds a lease on an instance while it works on it and renews it; whatever
 * step a run broke off at, the next try begins with recovery and ends in the same place; a create ends
 * RUNNING or, after a bounded number of tries, FAILED with a reason; a delete is tried until nothing is
 * left. What a step consists of is in instance-steps.ts; what was observed is written in transitions.ts.
 */
import { listRegions, type Region } from '../instances/regions.ts';
import type { Provisioner } from '../instances/services.ts';
import { AppError } from '../lib/errors.ts';
import { maskSecrets } from '../lib/logger.ts';
import { backoffMs } from '../lib/retry.ts';
import { InstanceEntity } from '../store/entities/instance.ts';
import { explainFailure, type FailureCause } from './failures.ts';
import { type ReconcilerServices, takeStep, type Work } from './instance-steps.ts';
import { type Claim, claimNext, freeDeadLeases, heartbeatMs, renewLease } from './leases.ts';
import { isGoneFromHere, processIdentity } from './process-identity.ts';
import * as transitions from './transitions.ts';
import { RunError } from './worker-pool.ts';

const pollMs = 1_000;
/** Much of the work waits for Docker or Redis and needs no worker: it must not keep others from one. */
const inHandPerWorker = 4;
const applyTries = 3;
const applyBackoff = { baseMs: 500, maxMs: 5_000 };
const destroyBackoff = { baseMs: 500, maxMs: 20_000 };

export interface Reconciler extends Provisioner {
  /** Frees what dead processes held and begins to work. */
  start(): Promise<void>;
  /** Claims nothing more and waits for the work in hand to stop; the pool must be closed beside it. */
  stop(): Promise<void>;
}

export function createReconciler(services: ReconcilerServices): Reconciler {
  const { orm, clock, logger, pool } = services;
  const leases = { orm, clock, owner: processIdentity() };
  const inHand = new Set<Promise<void>>();
  let stopping = false;
  let timer: NodeJS.Timeout | undefined;
  let claiming: Promise<void> | undefined;
  let again = false;

  const fill = async (): Promise<void> => {
    while (!stopping && inHand.size < pool.size * inHandPerWorker) {
      const claim = await claimNext(leases);
      if (!claim) return;
      const work: Promise<void> = reconcile(services, leases, claim, () => stopping).finally(() => {
        inHand.delete(work);
        wake();
      });
      inHand.add(work);
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
      await freeDeadLeases(leases, isGoneFromHere);
      for (const region of listRegions(services.config)) warmRegion(services, region);
      timer = setInterval(wake, pollMs);
      wake();
    },
    async stop() {
      stopping = true;
      clearInterval(timer);
      await claiming;
      await Promise.allSettled(inHand);
    },
  };
}

function warmRegion({ regions, logger }: ReconcilerServices, region: Region): void {
  regions.ensure(region, false).catch((error) => {
    const diagnostics = error instanceof RunError ? error.failure.diagnostics : [String(error)];
    logger.warn({ region: region.region, diagnostics }, 'the region is not ready yet');
  });
}

/** One try at one instance, from the claim to its outcome. Never rejects. */
async function reconcile(
  services: ReconcilerServices,
  leases: Parameters<typeof renewLease>[0],
  claim: Claim,
  isStopping: () => boolean,
): Promise<void> {
  const { orm, logger } = services;
  const leaseLost = new AbortController();
  const heartbeat = setInterval(() => {
    renewLease(leases, claim).then(
      (isHeld) => isHeld || leaseLost.abort(),
      (error) => logger.warn({ err: error }, 'a heartbeat failed'),
    );
  }, heartbeatMs);
  try {
    const instance = await orm.em.fork().findOneOrFail(InstanceEntity, { id: claim.instanceId });
    const operation = await transitions.beginOperation(services, instance);
    const work = { claim, instance, operation, signal: leaseLost.signal };
    try {
      await takeStep(services, work);
    } catch (error) {
      if (error instanceof transitions.LeaseLost) throw error;
      if (isStopping()) await transitions.postpone(services, claim, 0);
      else await handleFailure(services, work, error);
    }
  } catch (error) {
    // The lease runs out by itself and the next claim recovers.
    logger.error({ err: error, instanceId: claim.instanceId }, 'a try broke off');
  } finally {
    clearInterval(heartbeat);
  }
}

async function handleFailure(
  services: ReconcilerServices,
  { claim, instance, operation }: Omit<Work, 'steps'>,
  error: unknown,
): Promise<void> {
  const cause = explain(error);
  const { attempts } = claim;
  const context = {
    instanceId: instance.id,
    operationId: operation?.id,
    attempts,
    code: cause.code,
  };
  services.logger.warn({ ...context, diagnostics: diagnosticsOf(error) }, 'a run failed');
  if (instance.desired === 'absent') {
    await transitions.postpone(services, claim, backoffMs(attempts, destroyBackoff));
  } else if (cause.transient && attempts < applyTries) {
    await transitions.postpone(services, claim, backoffMs(attempts, applyBackoff));
  } else {
    await transitions.settleFailed(services, claim, instance, operation, cause);
  }
}

function explain(error: unknown): FailureCause {
  if (error instanceof AppError) {
    return { code: error.code, message: error.message, transient: false };
  }
  const diagnostics = diagnosticsOf(error);
  const timedOut = error instanceof RunError && error.failure.timedOut;
  return explainFailure({ diagnostics, timedOut });
}

function diagnosticsOf(error: unknown): string[] {
  const texts =
    error instanceof RunError
      ? error.failure.diagnostics
      : [error instanceof Error ? error.message : String(error)];
  return texts.map(maskSecrets);
}
