/**
 * Transitions: the only code that writes what the reconciler observed.
 *
 * Guarantees: every write is fenced (fenced-writes.ts) and throws LeaseLost where the claim is not held any
 * more; an instance and its operation change in one transaction; a wish that came in while a run was under
 * way is never overwritten by the run's outcome.
 */
import { containerMemoryMib } from '../../infra/sizing.ts';
import { lostData, toNote } from '../instances/drift.ts';
import { isRefusedRestore, isRestoreOver, withoutRestore } from '../instances/failed-restore.ts';
import { hasBegunRestore } from '../instances/restore-state.ts';
import { appliedSettings, asApplied, sameSettings } from '../instances/settings.ts';
import { staysAsItIs } from '../instances/states.ts';
import { releaseInstanceKeys } from '../keys/data-keys.ts';
import type { Clock } from '../lib/clock.ts';
import type { EntityManager, Orm } from '../store/database.ts';
import { type Instance, InstanceEntity } from '../store/entities/instance.ts';
import { type Operation, OperationEntity } from '../store/entities/operation.ts';
import type { FailureCause } from './failures.ts';
import { released, stillWanted, writeFenced, writeIfStillWanted } from './fenced-writes.ts';
import type { Claim } from './leases.ts';
import { endOperation, recordStep } from './operation-record.ts';

interface TransitionServices {
  readonly orm: Orm;
  readonly clock: Clock;
}

/** The part of a run's outcome that holds whatever was wanted meanwhile. */
export interface ObservedOutputs {
  readonly nodeHost: string;
  readonly nodePort: number;
  readonly passwordSealed: string;
}

/** Records a stack's outputs as soon as they are known; they hold whatever comes after. */
export async function recordOutputs(
  { orm }: TransitionServices,
  claim: Claim,
  outputs: ObservedOutputs,
): Promise<void> {
  await writeFenced(orm.em.fork() as EntityManager, claim, { ...outputs });
}

/**
 * Records what a run is about to be asked to make; `note` adds to the same transaction. Gives the lease back
 * and false where something newer is wanted by now.
 */
export async function recordAsked(
  services: TransitionServices,
  claim: Claim,
  { generation }: Instance,
  changes: Partial<Instance>,
  note: (em: EntityManager) => void = () => {},
): Promise<boolean> {
  let isStillWanted = false;
  await inTransaction(services, async (em) => {
    const where = stillWanted(claim, generation);
    isStillWanted = (await em.nativeUpdate(InstanceEntity, where, changes)) > 0;
    if (isStillWanted) note(em);
    else await writeFenced(em, claim, released);
  });
  return isStillWanted;
}

/**
 * The instance is as wanted: RUNNING or STOPPED, unless something newer was wanted meanwhile. A reason in
 * `failure` is of a wish that was given up before this run went back behind it: it stays until the next wish.
 */
export async function settleApplied(
  services: TransitionServices,
  claim: Claim,
  instance: Instance,
  operation: Operation | undefined,
): Promise<void> {
  const now = services.clock.now();
  await inTransaction(services, async (em) => {
    await writeFenced(em, claim, { ...asApplied(instance), triedSettings: [] });
    await writeIfStillWanted(em, claim, instance.generation, {
      status: instance.power === 'off' ? 'STOPPED' : 'RUNNING',
      appliedGeneration: instance.generation,
      reservedMib: containerMemoryMib(instance.maxMemoryBytes, instance.persistence),
      drift: [],
      attempts: 0,
      updatedAt: now,
    });
    await endOperation(em, operation, { status: 'SUCCEEDED', progress: 100, finishedAt: now });
  });
}

/** Nothing of the instance is left: its port, keys and password go with it. */
export async function settleDestroyed(
  services: TransitionServices,
  claim: Claim,
  instance: Instance,
  operation: Operation | undefined,
): Promise<void> {
  const now = services.clock.now();
  await inTransaction(services, async (em) => {
    await writeFenced(em, claim, {
      status: 'DELETED',
      appliedGeneration: instance.generation,
      nodePort: null,
      nodeHost: null,
      reservedMib: 0,
      passwordSealed: null,
      deletedAt: now,
      updatedAt: now,
      ...released,
    });
    await releaseInstanceKeys(em, instance.id);
    await endOperation(em, operation, { status: 'SUCCEEDED', progress: 100, finishedAt: now });
  });
}

/**
 * The wish is given up. Where it was about settings, those that were last made real are wanted again, so
 * the instance goes on as it was: an update has failed then, and any other operation goes on without it.
 * Else: FAILED with a reason, or RUNNING as before; unless something newer was wanted meanwhile.
 */
export async function settleFailed(
  services: TransitionServices,
  claim: Claim,
  instance: Instance,
  operation: Operation | undefined,
  { code, message }: FailureCause,
): Promise<void> {
  const now = services.clock.now();
  const reason = { failureCode: code, failureMessage: message, updatedAt: now };
  const failed = {
    status: 'FAILED',
    finishedAt: now,
    errorCode: code,
    errorMessage: message,
  } as const;
  const applied = appliedSettings(instance);
  const before = applied && !sameSettings(applied, instance) ? applied : undefined;
  await inTransaction(services, async (em) => {
    // A restore has written since the try began how far it went.
    const row = await em.findOneOrFail(InstanceEntity, { id: claim.instanceId });
    if (!before) {
      const { generation } = instance;
      const isOver = isRestoreOver(row, code);
      await writeIfStillWanted(em, claim, generation, {
        ...reason,
        // What runs goes on running, though not as was wanted, and what is stopped is no worse for it.
        status: staysAsItIs(row.status) ? row.status : 'FAILED',
        failedGeneration: generation,
        // All else was wanted before, too.
        ...(isOver && {
          ...withoutRestore(row),
          appliedGeneration: generation,
          failedGeneration: 0,
        }),
        ...(code === 'data_volume_missing' && !hasBegunRestore(row) && withLostData(row, now)),
      });
      await endOperation(em, operation, failed);
      return;
    }
    const generation = instance.generation + 1;
    const isRefused = isRefusedRestore(row, code);
    const again = {
      ...{ ...reason, ...before, ...(isRefused && withoutRestore(row)) },
      ...{ generation, attempts: 0, nextAttemptAtMs: 0 },
    };
    await writeIfStillWanted(em, claim, instance.generation, again);
    const isOfSettings = operation?.kind === 'update' || operation?.kind === 'upgrade';
    if (isOfSettings || (isRefused && operation?.kind === 'restore'))
      await endOperation(em, operation, failed);
    else if (operation)
      await em.nativeUpdate(OperationEntity, { id: operation.id }, { generation });
  });
}

/** Whatever was wanted of it: what is to be known first is that its data is gone. */
export function withLostData({ drift }: Instance, now: Date): Pick<Instance, 'status' | 'drift'> {
  const others = drift.filter(({ kind }) => kind !== lostData.kind);
  return { status: 'DEGRADED', drift: [toNote(drift, lostData, now), ...others] };
}

/** Gives the lease back for another try after `waitMs`; the operation stays open. */
export async function postpone(
  { orm, clock }: TransitionServices,
  claim: Claim,
  waitMs: number,
): Promise<void> {
  const nextAttemptAtMs = Math.round(clock.now().getTime() + waitMs);
  await writeFenced(orm.em.fork() as EntityManager, claim, { nextAttemptAtMs, ...released });
}

/**
 * Gives the lease back while somebody else works on the stack. The operation says that it waits, and the wait
 * costs none of its tries: `counted` is how many have been made so far.
 */
export async function standBack(
  services: TransitionServices,
  claim: Claim,
  operation: Operation | undefined,
  { waitMs, counted }: { waitMs: number; counted: number },
): Promise<void> {
  if (operation && operation.steps.at(-1)?.name !== 'wait') {
    await recordStep(services, operation, 'wait', operation.progress);
  }
  const nextAttemptAtMs = Math.round(services.clock.now().getTime() + waitMs);
  const em = services.orm.em.fork() as EntityManager;
  await writeFenced(em, claim, { nextAttemptAtMs, attempts: counted, ...released });
}

/**
 * Gives the lease back since the service stops: free at once, and not counted among its tries. The first
 * is, because the next must know that something may have begun.
 */
export async function handBack(
  { orm }: TransitionServices,
  claim: Claim,
  { generation }: Instance,
): Promise<void> {
  const attempts = Math.max(1, claim.attempts - 1);
  const em = orm.em.fork() as EntityManager;
  await writeIfStillWanted(em, claim, generation, { attempts, nextAttemptAtMs: 0 });
}

async function inTransaction(
  { orm }: TransitionServices,
  work: (em: EntityManager) => Promise<void>,
): Promise<void> {
  const em = orm.em.fork() as EntityManager;
  await em.transactional(async (tx) => await work(tx));
}
