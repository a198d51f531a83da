/**
 * One try at one instance, from its claim to its outcome.
 *
 *   claimed ─► running ─┬► settled        as wanted, or deleted                     (takeStep)
 *                       ├► postponed      failed, and may go better in a moment     (after a random wait)
 *                       ├► given up       failed for good, or too often: FAILED     (never a delete)
 *                       ├► stood back     an operator works on the stack, or Docker is away: not counted
 *                       ├► handed back    the service stops, or could not renew: not counted (free at once)
 *                       └► lost           another holds the lease: not counted, no outcome is written
 *
 * Guarantees: it never rejects; the lease is renewed as long as the try goes on and no longer, and a try
 * whose lease is lost, or could not be renewed in time, is interrupted; an outcome that the database did
 * not take is written again until it does or the lease has run out.
 */
import { AppError, type ErrorCode } from '../lib/errors.ts';
import { heartbeatMs, leaseMs } from '../lib/lease-times.ts';
import { maskSecrets } from '../lib/logger.ts';
import { backoffMs, pollUntil } from '../lib/retry.ts';
import { type Instance, InstanceEntity } from '../store/entities/instance.ts';
import type { Operation } from '../store/entities/operation.ts';
import { requireDocker } from './docker.ts';
import { explainFailure, type FailureCause } from './failures.ts';
import { LeaseLost } from './fenced-writes.ts';
import { dockerOf, type ReconcilerServices, takeStep, type Work } from './instance-steps.ts';
import {
  type Claim,
  type LeaseServices,
  renewalAgeMaxMs,
  renewLease,
  uncountTry,
} from './leases.ts';
import { beginOperation } from './operation-record.ts';
import { StepTimeout } from './steps.ts';
import * as transitions from './transitions.ts';
import { RunError } from './worker-pool.ts';

const applyTries = 3;
const applyBackoff = { baseMs: 500, maxMs: 5_000 };
const destroyBackoff = { baseMs: 500, maxMs: 20_000 };
/**
 * What is waited for without counting tries, and how often it is looked at: an operator's run may take its
 * time, and a prompt that waits for a yes holds the lock too; a Docker that is restarted comes back; a large Redis is loaded in the
 * end.
 */
const waitPollMs: Readonly<Partial<Record<ErrorCode, number>>> = {
  stack_locked: 500,
  docker_unreachable: 2_000,
  instance_loading: 500,
};
const patienceMs = 15 * 60_000;
/** A database that is locked or restarts must not cost an instance the rest of its lease. */
const untilWritten = { timeoutMs: leaseMs, intervalMs: 500 };

/** The stop of the service, as its tries see it. */
export interface Stop {
  isBegun(): boolean;
  /** Aborts when whatever is still under way is to be handed back as it is. */
  readonly overdue: AbortSignal;
}

type Attempt = Omit<Work, 'steps'>;
type Failure = { readonly error: unknown };

/** Makes one try and writes what came of it. */
export async function attempt(
  services: ReconcilerServices,
  leases: LeaseServices,
  claim: Claim,
  stop: Stop,
): Promise<void> {
  const { logger } = services;
  const ended = new AbortController();
  const lost = new AbortController();
  const heartbeat = keepLease(services, leases, claim, () => {
    lost.abort();
    ended.abort();
  });
  const overdue = Promise.withResolvers<Failure>();
  const onOverdue = (): void => overdue.resolve({ error: new Error('the service is stopping') });
  stop.overdue.addEventListener('abort', onOverdue);
  try {
    const given = await pollUntil(() => begin(services, leases, claim, ended.signal), untilWritten);
    const failure = await Promise.race([
      takeStep(services, given).then(
        () => undefined,
        (error: unknown): Failure => ({ error }),
      ),
      overdue.promise,
    ]);
    if (!failure) return;
    // What is still under way begins no further step.
    ended.abort();
    const isOut = (): boolean => lost.signal.aborted || stop.isBegun();
    const write = async (): Promise<void> => {
      if (failure.error instanceof LeaseLost) throw failure.error;
      if (isOut()) await transitions.handBack(services, claim, given.instance);
      else await handleFailure(services, given, failure.error);
    };
    await writeOutcome(write, () => uncountTry(leases, claim, given.instance.generation));
  } catch (error) {
    // The lease runs out by itself and the next claim recovers.
    logger.error({ err: error, instanceId: claim.instanceId }, 'a try broke off');
  } finally {
    ended.abort();
    clearInterval(heartbeat);
    stop.overdue.removeEventListener('abort', onOverdue);
  }
}

/** Renews the lease until the try is over; calls `onLost` once it is no longer held. */
function keepLease(
  { logger }: ReconcilerServices,
  leases: LeaseServices,
  claim: Claim,
  onLost: () => void,
): NodeJS.Timeout {
  let renewedMs = performance.now();
  return setInterval(() => {
    const askedMs = performance.now();
    // A database that does not answer may have given the lease to another by now.
    if (askedMs - renewedMs > renewalAgeMaxMs) onLost();
    renewLease(leases, claim).then(
      (isHeld) => {
        if (isHeld) renewedMs = askedMs;
        else onLost();
      },
      (error) => logger.warn({ err: error }, 'a heartbeat failed'),
    );
  }, heartbeatMs);
}

async function begin(
  services: ReconcilerServices,
  leases: LeaseServices,
  claim: Claim,
  signal: AbortSignal,
): Promise<Attempt> {
  const where = { id: claim.instanceId };
  const instance = await services.orm.em.fork().findOneOrFail(InstanceEntity, where);
  const operation = await beginOperation(services, instance);
  const holdsLease = (): Promise<boolean> => renewLease(leases, claim);
  return { claim, instance, operation, signal, holdsLease };
}

/** Tries until the database takes it. @throws LeaseLost, after `onLost`, or what the last try threw. */
async function writeOutcome(
  write: () => Promise<void>,
  onLost: () => Promise<void>,
): Promise<void> {
  const probe = async (): Promise<{ lost?: unknown }> => {
    try {
      await write();
      return {};
    } catch (error) {
      if (error instanceof LeaseLost) return { lost: error };
      throw error;
    }
  };
  const { lost } = await pollUntil(probe, untilWritten);
  if (!lost) return;
  await onLost();
  throw lost;
}

async function handleFailure(
  services: ReconcilerServices,
  { claim, instance, operation }: Attempt,
  error: unknown,
): Promise<void> {
  const cause = await explain(services, instance, error);
  const { attempts } = claim;
  const waitMs = waitPollMs[cause.code];
  if (waitMs !== undefined && isPatient(services, instance, operation)) {
    // Where it was a run that found out, the next try recovers: the lock's owner may be dead.
    const counted = Math.max(attempts - 1, error instanceof AppError ? 0 : 1);
    await transitions.standBack(services, claim, operation, { waitMs, counted });
    return;
  }
  const context = {
    instanceId: instance.id,
    operationId: operation?.id,
    attempts,
    code: cause.code,
  };
  services.logger.warn({ ...context, diagnostics: diagnosticsOf(error) }, 'a run failed');
  if (instance.desired === 'absent') {
    await transitions.postpone(services, claim, backoffMs(attempts, destroyBackoff));
  } else if (cause.transient && attempts < triesOf(instance, cause)) {
    await transitions.postpone(services, claim, backoffMs(attempts, applyBackoff));
  } else {
    await transitions.settleFailed(services, claim, instance, operation, cause);
  }
}

/** A delete waits however long it takes, any other wish a bounded time. */
function isPatient(
  { clock }: ReconcilerServices,
  { desired, updatedAt }: Instance,
  operation: Operation | undefined,
): boolean {
  const since = operation?.startedAt ?? updatedAt;
  return desired === 'absent' || clock.now().getTime() - since.getTime() < patienceMs;
}

/** An image under which Redis does not answer is left at once: its instance stands still meanwhile. */
function triesOf({ image, appliedImage }: Instance, { code }: FailureCause): number {
  const isUpgrade = appliedImage !== null && image !== appliedImage;
  return isUpgrade && code === 'instance_unreachable' ? 1 : applyTries;
}

/** A failure that may go better, while Docker does not answer, is Docker's: a run only saw that it hung. */
async function explain(
  services: ReconcilerServices,
  instance: Instance,
  error: unknown,
): Promise<FailureCause> {
  const cause = recognise(error);
  if (!cause.transient) return cause;
  return await requireDocker(dockerOf(services, instance)).then(() => cause, recognise);
}

function recognise(error: unknown): FailureCause {
  if (error instanceof AppError) {
    return { code: error.code, message: error.message, transient: false };
  }
  const diagnostics = diagnosticsOf(error);
  const timedOut =
    error instanceof RunError ? error.failure.timedOut : error instanceof StepTimeout;
  return explainFailure({ diagnostics, timedOut });
}

function diagnosticsOf(error: unknown): string[] {
  const texts =
    error instanceof RunError
      ? error.failure.diagnostics
      : [error instanceof Error ? error.message : String(error)];
  return texts.map(maskSecrets);
}
