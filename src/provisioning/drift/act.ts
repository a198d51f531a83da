/**
 * What is done about drift: the only code of the watch that writes.
 *
 *   differences ─┬─ none any more ──────────────► RUNNING (or STOPPED) again, notes gone
 *                ├─ an operator's, or a run's ──► nothing: adopted, or looked at again later
 *                ├─ data volume gone ───────────► DEGRADED until somebody accepts the loss
 *                ├─ policy `repair` ────────────► DEGRADED, an operation `repair`, the reconciler woken
 *                └─ policy `report`, or a ──────► DEGRADED, with notes
 *                   repair that does not last
 *
 * Guarantees: a write happens only where the row is still the one that was judged (no run and no wish since
 * the look began), in one transaction with its line of the audit log; the same difference is told once; an
 * instance is repaired at most so many times in ten minutes. A STOPPED instance stays STOPPED while it is
 * mended.
 */
import { LockMode } from '@mikro-orm/core';
import { systemCaller } from '../../accounts/caller.ts';
import { recordChange } from '../../audit/record.ts';
import { toNote } from '../../instances/drift.ts';
import { queueOperation } from '../../instances/operations.ts';
import { isGivenUp, renewWish } from '../../instances/states.ts';
import type { Clock } from '../../lib/clock.ts';
import type { ErrorCode } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { EntityManager, Orm } from '../../store/database.ts';
import { type Instance, InstanceEntity } from '../../store/entities/instance.ts';
import { OperationEntity } from '../../store/entities/operation.ts';
import type { PatientAdoption } from '../operators/patient-adoption.ts';
import type { Difference } from './compare.ts';
import type { JudgedRow } from './judged-rows.ts';

export interface ActServices {
  readonly orm: Orm;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Takes over what an operator's last run has made, and says whether there was anything. */
  readonly adoptFromStack: (instanceId: string) => Promise<PatientAdoption>;
  readonly wakeReconciler: () => void;
}

export const repairsMax = 10;
export const repairWindowMs = 10 * 60_000;
const restMs = 30_000;

type Deed = 'repair' | 'report' | 'lost';

/** Acts on what a look found different about a settled row; with no differences, on their end. */
export async function actOnDrift(
  services: ActServices,
  row: JudgedRow,
  differences: readonly Difference[],
): Promise<void> {
  if (differences.length === 0) {
    if (row.drift.length > 0) await writeEnd(services, row);
    return;
  }
  if (isResting(services, row)) return;
  const isRepairable = await mayRepair(services, row);
  const deed = chooseDeed(row, differences, isRepairable);
  if (deed !== 'repair' && isNoted(row, differences)) return;
  if ((await services.adoptFromStack(row.id)) !== 'unchanged') return;
  await writeDrift(services, row, differences, deed);
}

/** Notes that the kernel killed a process of the instance; Docker starts Redis again by itself. */
export async function noteOutOfMemory(
  { orm, clock, logger }: Pick<ActServices, 'orm' | 'clock' | 'logger'>,
  instanceId: string,
): Promise<void> {
  const em = orm.em.fork() as EntityManager;
  const instance = await em.findOne(InstanceEntity, { id: instanceId });
  if (!instance) return;
  const detail = 'The kernel ended a process of its container that needed more memory than it has.';
  logger.warn({ instanceId }, detail);
  const { organizationId } = instance;
  const details = {
    found: [{ kind: 'container_oom_killed', detail }],
    done: 'restarted by Docker',
  };
  const fact = { organizationId, action: 'instance.drift', targetId: instanceId, details };
  recordChange(em, systemCaller(organizationId), clock.now(), fact);
  await em.flush();
}

function chooseDeed(
  { driftPolicy }: JudgedRow,
  differences: readonly Difference[],
  isRepairable: boolean,
): Deed {
  if (differences.some(({ kind }) => kind === 'data_volume_missing')) return 'lost';
  return driftPolicy === 'repair' && isRepairable ? 'repair' : 'report';
}

/** A repair that was given up is not begun again at once: what is in its way needs its time. */
function isResting({ clock }: ActServices, row: JudgedRow): boolean {
  const restedMs = clock.now().getTime() - row.updatedAt.getTime();
  // Less than nothing where the clock was set back: that is no reason to wait for it.
  return isGivenUp(row) && restedMs >= 0 && restedMs < restMs;
}

async function mayRepair({ orm, clock }: ActServices, { id }: JudgedRow): Promise<boolean> {
  const since = new Date(clock.now().getTime() - repairWindowMs);
  const where = { instanceId: id, kind: 'repair' as const, createdAt: { $gte: since } };
  return (await orm.em.fork().count(OperationEntity, where)) < repairsMax;
}

function isNoted({ drift }: JudgedRow, differences: readonly Difference[]): boolean {
  const print = (found: readonly Difference[]): string =>
    JSON.stringify(found.map(({ kind, detail }) => [kind, detail]).sort());
  return print(drift as Difference[]) === print(differences);
}

async function writeDrift(
  services: ActServices,
  row: JudgedRow,
  differences: readonly Difference[],
  deed: Deed,
): Promise<void> {
  const isWritten = await writeIfSettled(services, row, (tx, instance, now) => {
    const { organizationId, id: targetId } = instance;
    instance.drift = differences.map((found) => toNote(instance.drift, found, now));
    if (instance.status !== 'STOPPED' || deed === 'lost') instance.status = 'DEGRADED';
    instance.updatedAt = now;
    const failure = failureOf(instance, deed);
    instance.failureCode = failure?.code ?? null;
    instance.failureMessage = failure?.message ?? null;
    if (deed === 'repair') renewWish(instance, now);
    const operation = deed === 'repair' ? queueOperation(tx, instance, 'repair', now) : undefined;
    const done = deed === 'repair' ? 'repair' : 'report';
    const details = { found: differences, done, ...(operation && { operationId: operation.id }) };
    const fact = { organizationId, action: 'instance.drift', targetId, details };
    recordChange(tx, systemCaller(organizationId), now, fact);
  });
  if (!isWritten) return;
  const kinds = differences.map(({ kind }) => kind);
  services.logger.warn({ instanceId: row.id, kinds, deed }, 'an instance is not as recorded');
  if (deed === 'repair') services.wakeReconciler();
}

async function writeEnd(services: ActServices, row: JudgedRow): Promise<void> {
  const isWritten = await writeIfSettled(services, row, (tx, instance, now) => {
    const { organizationId, id: targetId } = instance;
    const kinds = instance.drift.map(({ kind }) => kind);
    instance.drift = [];
    instance.status = instance.power === 'off' ? 'STOPPED' : 'RUNNING';
    instance.updatedAt = now;
    instance.failureCode = null;
    instance.failureMessage = null;
    // Where a repair was given up, somebody else has done it.
    instance.appliedGeneration = instance.generation;
    instance.failedGeneration = 0;
    const fact = { organizationId, action: 'instance.drift-end', targetId, details: { kinds } };
    recordChange(tx, systemCaller(organizationId), now, fact);
  });
  if (isWritten) services.logger.info({ instanceId: row.id }, 'an instance is as recorded again');
}

/** Changes the row where it is still the one that was judged, and nobody works on it. */
async function writeIfSettled(
  { orm, clock }: ActServices,
  row: JudgedRow,
  change: (tx: EntityManager, instance: Instance, now: Date) => void,
): Promise<boolean> {
  const em = orm.em.fork() as EntityManager;
  return await em.transactional(async (tx) => {
    const lockMode = LockMode.PESSIMISTIC_WRITE;
    const instance = await tx.findOne(InstanceEntity, { id: row.id }, { lockMode });
    const now = clock.now();
    if (!instance || !isUnchanged(row, instance, now)) return false;
    change(tx, instance, now);
    await tx.flush();
    return true;
  });
}

function isUnchanged(row: JudgedRow, instance: Instance, now: Date): boolean {
  return (
    instance.desired === 'present' &&
    instance.status === row.status &&
    instance.generation === row.generation &&
    instance.leaseEpoch === row.leaseEpoch &&
    instance.leaseExpiresAtMs <= now.getTime()
  );
}

function failureOf(
  { driftPolicy }: Instance,
  deed: Deed,
): { code: ErrorCode; message: string } | undefined {
  if (deed === 'lost') {
    return { code: 'data_volume_missing', message: 'The data volume of the instance is gone.' };
  }
  if (deed === 'repair' || driftPolicy === 'report') return undefined;
  const message = `It was repaired ${repairsMax} times in ten minutes, and did not stay so.`;
  return { code: 'drift_returns', message };
}
