/**
 * Adoption: what an operator made with Pulumi becomes what the service's rows say.
 *
 * Guarantees: a change that an operator's run made is written as wanted and as applied alike, with a line of
 * the audit log in the same transaction, and is never undone by the service; what the service's own broken
 * run left in the state is never taken for an operator's (merge-settings.ts); a row is judged while nobody
 * works on it, and before each run of the service, which then builds on what the operator made; a stack that
 * an operator destroyed ends its instance the normal way, so that nothing is left of it. A plan's limits do
 * not bind operators: what they made is real already.
 *
 * A stack without resources alone does not say "destroyed": the state may be lost. Only where Docker has
 * neither container nor volume of the instance any more is there nothing to lose.
 */
import { containerMemoryMib } from '../../../infra/sizing.ts';
import { operatorCaller } from '../../accounts/caller.ts';
import { recordChange, recordRefusal } from '../../audit/record.ts';
import type { Config } from '../../config.ts';
import { deleteInstance } from '../../instances/delete-instance.ts';
import { requireRegion } from '../../instances/regions.ts';
import { appliedSettings, asApplied, type Settings, settingsOf } from '../../instances/settings.ts';
import { isGivenUp } from '../../instances/states.ts';
import type { Clock } from '../../lib/clock.ts';
import { AppError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { EntityManager, Orm } from '../../store/database.ts';
import { type Instance, InstanceEntity } from '../../store/entities/instance.ts';
import { connectDocker, hasInstanceObjects } from '../docker.ts';
import type { Claim } from '../leases.ts';
import * as transitions from '../transitions.ts';
import { type Merged, mergeSettings } from './merge-settings.ts';
import { judgePending, type PendingConfig } from './pending-config.ts';
import type { StackReport, StackStates } from './stack-state.ts';

export interface AdoptionServices {
  readonly orm: Orm;
  readonly clock: Clock;
  readonly config: Config;
  readonly logger: Logger;
  readonly states: StackStates;
}

export type Adoption =
  /** The state says what the row says. */
  | 'unchanged'
  /** An operator's change was written into the row. */
  | 'adopted'
  /** An operator destroyed the stack: the instance is being deleted. */
  | 'ended'
  /** Somebody works on the stack or the row: ask again later. */
  | 'busy'
  /** The state cannot be read, or a run that shows in nothing else is under way: ask again later. */
  | 'unreadable';

/** Kinds of drift that an adopted change explains. */
const explainedDrift: readonly string[] = ['settings_changed', 'limits_changed'];
const triedMax = 16;
const nothing: PendingConfig = { accepted: {}, refused: [] };

/** Compares an instance that nobody works on with its stack's state, and adopts what an operator made. */
export async function adoptFromStack(
  services: AdoptionServices,
  instanceId: string,
): Promise<Adoption> {
  const { orm, clock, states } = services;
  const live = { id: instanceId, status: { $ne: 'DELETED' as const } };
  const instance = await orm.em.fork().findOne(InstanceEntity, live);
  if (!instance) return 'unchanged';
  if (!isAtRest(instance, clock.now()) || states.isLocked(instanceId)) return 'busy';
  const report = await states.read(instanceId);
  if (states.isLocked(instanceId)) return 'busy';
  if (report.kind === 'unknown') return 'unreadable';
  if (report.kind === 'empty') return await endWhereDestroyed(services, instance);
  const merged = merge(instance, report);
  if (Object.keys(merged.adopted).length === 0) return 'unchanged';
  const isWritten = await writeAdopted(services, instance, merged);
  if (isWritten) services.logger.info({ instanceId, ...merged.adopted }, 'an operator changed it');
  return isWritten ? 'adopted' : 'busy';
}

/**
 * The same for an instance that is about to be run: `instance` is brought to what the run is to make, and the
 * row remembers what is asked for.
 * @returns whether to go on. If not, the lease is given back: the stack was destroyed, or something newer is
 * wanted by now.
 * @throws {AppError} `stack_locked` while somebody works on the stack.
 */
export async function adoptBeforeRun(
  services: AdoptionServices,
  claim: Claim,
  instance: Instance,
): Promise<boolean> {
  requireUnlocked(services, instance.id);
  const hasRun = instance.nodeHost !== null;
  const report: StackReport = hasRun
    ? await services.states.read(instance.id)
    : { kind: 'unknown' };
  if (report.kind === 'empty' && (await endWhereDestroyed(services, instance)) === 'ended') {
    await transitions.postpone(services, claim, 0);
    return false;
  }
  const { applied, adopted, ...merged } = merge(instance, report);
  const pending = hasRun ? await readPending(services, instance, merged.wanted, report) : nothing;
  const wanted = { ...merged.wanted, ...pending.accepted };
  const neededMib = containerMemoryMib(wanted.maxMemoryBytes, wanted.persistence);
  const changes = {
    ...wanted,
    ...(applied && asApplied(applied)),
    reservedMib: Math.max(instance.reservedMib, neededMib),
    triedSettings: [...instance.triedSettings, wanted].slice(-triedMax),
  };
  const isStillWanted = await transitions.recordAsked(services, claim, instance, changes, (em) => {
    const now = services.clock.now();
    noteAdoption(em, instance, { changes: adopted, via: 'pulumi up' }, now);
    noteAdoption(em, instance, { changes: pending.accepted, via: 'pulumi config set' }, now);
    noteSetBack(em, instance, pending.refused, now);
  });
  if (isStillWanted) Object.assign(instance, changes);
  return isStillWanted;
}

/** @throws {AppError} `stack_locked` while somebody works on the stack. */
export function requireUnlocked({ states }: Pick<AdoptionServices, 'states'>, id: string): void {
  if (states.isLocked(id)) throw new AppError('stack_locked');
}

/** Settled or given up, and in nobody's hands. */
function isAtRest(instance: Instance, now: Date): boolean {
  const { desired, generation, appliedGeneration, leaseExpiresAtMs } = instance;
  const isSettled = appliedGeneration === generation || isGivenUp(instance);
  return desired === 'present' && isSettled && leaseExpiresAtMs <= now.getTime();
}

function merge(instance: Instance, report: StackReport): Merged {
  return mergeSettings({
    applied: appliedSettings(instance),
    tried: instance.triedSettings,
    wanted: settingsOf(instance),
    made: report.kind === 'made' ? report.settings : {},
  });
}

/** What waits in the stack's file for an `up`, but for what the row's owner wants otherwise. */
async function readPending(
  { states, logger }: AdoptionServices,
  instance: Instance,
  wanted: Settings,
  report: StackReport,
): Promise<PendingConfig> {
  const applied = appliedSettings(instance) ?? wanted;
  const made = report.kind === 'made' ? report.settings : {};
  const known = [wanted, applied, made, ...instance.triedSettings];
  const { accepted, refused } = judgePending(await states.readNewerConfig(instance.id), known);
  if (refused.length > 0) {
    logger.warn({ instanceId: instance.id, refused }, "settings of the stack's file are set back");
  }
  const isFree = (name: string): boolean => {
    const setting = name as keyof Settings;
    return wanted[setting] === (made[setting] ?? applied[setting]);
  };
  return {
    accepted: Object.fromEntries(Object.entries(accepted).filter(([name]) => isFree(name))),
    refused,
  };
}

async function endWhereDestroyed(
  services: AdoptionServices,
  { id, region, organizationId, nodeHost }: Instance,
): Promise<Adoption> {
  const { orm, clock, config, logger } = services;
  if (nodeHost === null) return 'unchanged';
  const docker = connectDocker(requireRegion(config, region).dockerHost);
  if (await hasInstanceObjects(docker, id)) return 'unchanged';
  // The reconciler sees the wish by itself, and is at it already where this is the begin of a run.
  const provisioner = { wake() {} };
  await deleteInstance({ orm, clock, provisioner }, operatorCaller(organizationId), id);
  logger.info({ instanceId: id }, 'an operator destroyed its stack');
  return 'ended';
}

async function writeAdopted(
  { orm, clock }: AdoptionServices,
  instance: Instance,
  { wanted, applied, adopted }: Merged,
): Promise<boolean> {
  const now = clock.now();
  const { id, generation, appliedGeneration, failedGeneration, leaseEpoch, status } = instance;
  const isSettled = appliedGeneration === generation;
  const neededMib = containerMemoryMib(wanted.maxMemoryBytes, wanted.persistence);
  const drift = instance.drift.filter(({ kind }) => !explainedDrift.includes(kind));
  const em = orm.em.fork() as EntityManager;
  return await em.transactional(async (tx) => {
    const leaseExpiresAtMs = { $lte: now.getTime() };
    const seen = { generation, appliedGeneration, failedGeneration, leaseEpoch };
    const where = { id, ...seen, leaseExpiresAtMs };
    const changed = await tx.nativeUpdate(InstanceEntity, where, {
      ...wanted,
      ...(applied && asApplied(applied)),
      // A wish of this moment, which has come true already; what was given up before it still is.
      generation: generation + 1,
      ...(isSettled
        ? { appliedGeneration: generation + 1, reservedMib: neededMib }
        : {
            failedGeneration: generation + 1,
            reservedMib: Math.max(instance.reservedMib, neededMib),
          }),
      drift,
      status: status === 'DEGRADED' && drift.length === 0 ? 'RUNNING' : status,
      updatedAt: now,
    });
    if (changed > 0) noteAdoption(tx, instance, { changes: adopted, via: 'pulumi up' }, now);
    return changed > 0;
  });
}

/** The line of the audit log; none where nothing was adopted. */
function noteAdoption(
  em: EntityManager,
  { id, organizationId }: Instance,
  { changes: { maxMemoryBytes, ...others }, via }: { changes: Partial<Settings>; via: string },
  now: Date,
): void {
  const changes = { ...(maxMemoryBytes && { maxMemory: maxMemoryBytes }), ...others };
  if (Object.keys(changes).length === 0) return;
  recordChange(em, operatorCaller(organizationId), now, {
    organizationId,
    action: 'instance.update',
    targetId: id,
    details: { ...changes, via },
  });
}

/** Says which settings of the stack's file the service writes over; nothing where there are none. */
function noteSetBack(
  em: EntityManager,
  { id, organizationId }: Instance,
  settings: readonly string[],
  now: Date,
): void {
  if (settings.length === 0) return;
  recordRefusal(em, operatorCaller(organizationId), now, {
    organizationId,
    action: 'instance.update',
    targetId: id,
    details: { settings, via: 'pulumi config set' },
  });
}
