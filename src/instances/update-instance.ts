/** Changing an instance: what people note about it, and its live settings. */
import type { Caller } from '../accounts/caller.ts';
import { recordChange } from '../audit/record.ts';
import { nextTime } from '../lib/cron.ts';
import { requireFuture } from '../lib/end-time.ts';
import { AppError } from '../lib/errors.ts';
import { etagOf, requireMatch } from '../lib/etag.ts';
import type { EntityManager } from '../store/database.ts';
import type { DriftPolicy, Instance } from '../store/entities/instance.ts';
import type { Operation } from '../store/entities/operation.ts';
import type { EvictionPolicy } from './eviction-policies.ts';
import { queueOperation, supersedeOpenOperations } from './operations.ts';
import { findOwnInstance, lockOwnInstance } from './ownership.ts';
import {
  lockOrganization,
  requireKeepable,
  reserveHostMemory,
  reserveMemory,
  reserveOperation,
} from './quotas.ts';
import type { InstanceServices } from './services.ts';
import { type Settings, sameSettings } from './settings.ts';
import { renewWish, servesData } from './states.ts';

/** A checked PATCH: what is left out stays as it is. */
export interface InstanceChanges {
  readonly name?: string | undefined;
  readonly maxMemory?: number | undefined;
  readonly evictionPolicy?: EvictionPolicy | undefined;
  readonly persistence?: boolean | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly deletionProtection?: boolean | undefined;
  readonly driftPolicy?: DriftPolicy | undefined;
  readonly expiresAt?: Date | null | undefined;
  readonly backups?: BackupRule | null | undefined;
}

/** Backups by schedule: when, and how many are kept for how many days. */
export interface BackupRule {
  readonly schedule: string;
  readonly keepCount: number;
  readonly keepDays: number | null;
}

/** The ETag of an instance: over what a PATCH can change. */
export function instanceEtag(instance: Instance): string {
  const { name, labels, deletionProtection, driftPolicy, expiresAt, power } = instance;
  const sorted = Object.entries(labels).sort();
  const { maxMemoryBytes, evictionPolicy, persistence } = instance;
  const { backupSchedule, backupKeepCount, backupKeepDays } = instance;
  const backups = [backupSchedule, backupKeepCount, backupKeepDays];
  const settings = { maxMemoryBytes, evictionPolicy, persistence, power, backups };
  return etagOf({ name, sorted, deletionProtection, driftPolicy, expiresAt, ...settings });
}

/**
 * Changes an instance. Memory, eviction and persistence change while it runs, by an operation; the rest
 * at once.
 * @returns the instance, and the operation where one goes on.
 * @throws {AppError} `not_found`, `forbidden`, `changed_meanwhile`, `state_conflict` unless RUNNING,
 * `memory_in_use`, `instance_unreachable`, and what quotas.ts throws.
 */
export async function updateInstance(
  services: InstanceServices,
  caller: Caller,
  instanceId: string,
  { changes, ifMatch }: { changes: InstanceChanges; ifMatch: string | undefined },
): Promise<{ instance: Instance; operation: Operation | undefined }> {
  requireFuture(changes.expiresAt, services.clock.now());
  const capacityMib = await checkRoom(services, caller, instanceId, changes);
  const em = services.orm.em.fork() as EntityManager;
  const updated = await em.transactional(async (tx) => {
    const instance = await lockOwnInstance(tx, caller, instanceId, 'developer');
    requireMatch(ifMatch, instanceEtag(instance));
    const now = services.clock.now();
    if (changes.backups) {
      const reservation = await lockOrganization(tx, instance.organizationId);
      requireKeepable(reservation, changes.backups.keepCount);
    }
    noteChanges(instance, changes, now);
    const wanted = settingsAfter(instance, changes);
    const isReal = !sameSettings(instance, wanted);
    if (isReal) {
      requireRunning(instance);
      await supersedeOpenOperations(tx, instanceId, now);
      await reserveGrowth(tx, services, instance, wanted, capacityMib);
      Object.assign(instance, wanted);
      renewWish(instance, now);
    }
    const operation = isReal ? queueOperation(tx, instance, 'update', now) : undefined;
    recordChange(tx, caller, now, {
      organizationId: instance.organizationId,
      action: 'instance.update',
      targetId: instanceId,
      details: { ...changes, ...(operation && { operationId: operation.id }) },
    });
    await tx.flush();
    return { instance, operation };
  });
  if (updated.operation) services.provisioner.wake();
  return updated;
}

/** The instance as a PATCH would make it; for a preview. @throws what updateInstance throws first. */
export async function planUpdate(
  services: InstanceServices,
  caller: Caller,
  instanceId: string,
  changes: InstanceChanges,
): Promise<Instance> {
  await checkRoom(services, caller, instanceId, changes);
  const em = services.orm.em.fork() as EntityManager;
  const instance = await findOwnInstance(em, caller, instanceId, 'developer');
  requireRunning(instance);
  return { ...instance, ...settingsAfter(instance, changes) };
}

/** What asks others than the database, hence before the transaction. Gives the region's memory in MiB. */
async function checkRoom(
  { orm, runtime, capacity }: InstanceServices,
  caller: Caller,
  instanceId: string,
  changes: InstanceChanges,
): Promise<number> {
  const em = orm.em.fork() as EntityManager;
  const instance = await findOwnInstance(em, caller, instanceId, 'developer');
  const wanted = settingsAfter(instance, changes);
  if (!sameSettings(instance, wanted) && wanted.evictionPolicy === 'noeviction') {
    requireRunning(instance);
    const used = await runtime.readUsedMemory(instance);
    if (used > wanted.maxMemoryBytes) {
      const { organizationId } = instance;
      const limit = { name: 'maxMemoryBytes', limit: wanted.maxMemoryBytes, used, requested: 0 };
      const message = `${used} bytes are in use, and noeviction lets Redis remove none of them.`;
      throw new AppError('memory_in_use', message, { organizationId, limit });
    }
  }
  return await capacity.regionMib(instance.region);
}

function noteChanges(instance: Instance, changes: InstanceChanges, now: Date): void {
  const { name, labels, deletionProtection, driftPolicy, expiresAt } = changes;
  if (name !== undefined) instance.name = name;
  if (labels !== undefined) instance.labels = { ...labels };
  if (deletionProtection !== undefined) instance.deletionProtection = deletionProtection;
  if (driftPolicy !== undefined) instance.driftPolicy = driftPolicy;
  if (expiresAt !== undefined) instance.expiresAt = expiresAt;
  if (changes.backups !== undefined) noteBackupRule(instance, changes.backups, now);
  instance.updatedAt = now;
}

function noteBackupRule(instance: Instance, rule: BackupRule | null, now: Date): void {
  const isSame = rule?.schedule === instance.backupSchedule;
  instance.backupSchedule = rule?.schedule ?? null;
  instance.backupKeepCount = rule?.keepCount ?? null;
  instance.backupKeepDays = rule?.keepDays ?? null;
  // A time that has come and was not taken yet is not lost by another count.
  if (!isSame) instance.backupNextAt = rule ? nextTime(rule.schedule, now) : null;
}

function settingsAfter(instance: Instance, changes: InstanceChanges): Settings {
  return {
    maxMemoryBytes: changes.maxMemory ?? instance.maxMemoryBytes,
    evictionPolicy: changes.evictionPolicy ?? instance.evictionPolicy,
    persistence: changes.persistence ?? instance.persistence,
    image: instance.image,
  };
}

function requireRunning({ status, organizationId }: Instance): void {
  if (servesData(status)) return;
  const message = `The instance is ${status}; its settings change only while it is RUNNING.`;
  throw new AppError('state_conflict', message, { organizationId });
}

async function reserveGrowth(
  tx: EntityManager,
  { capacity }: InstanceServices,
  instance: Instance,
  wanted: Settings,
  capacityMib: number,
): Promise<void> {
  const { maxMemoryBytes, persistence } = wanted;
  const reservation = await lockOrganization(tx, instance.organizationId);
  await reserveOperation(tx, reservation);
  const growthBytes = maxMemoryBytes - instance.maxMemoryBytes;
  if (growthBytes !== 0) {
    await reserveMemory(tx, reservation, { maxMemoryBytes, growthBytes, newInstances: 0 });
  }
  const neededMib = capacity.containerMib(maxMemoryBytes, persistence);
  const growthMib = neededMib - instance.reservedMib;
  await reserveHostMemory(tx, reservation, { region: instance.region, growthMib, capacityMib });
  instance.reservedMib = Math.max(instance.reservedMib, neededMib);
}
