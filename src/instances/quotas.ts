/**
 * Quotas: what an organization's plan allows, and what a region's host can hold.
 *
 * Guarantees: whoever reserves first locks the row that the limit belongs to (the organization, then the
 * region) and counts under that lock, so two requests at once never pass a limit together; the
 * reservation is the caller's own row, written in the same transaction. The order of locks is always
 * instance, organization, region. What is refused says the limit, the use and what was asked.
 */
import { LockMode } from '@mikro-orm/core';
import { AppError, type ErrorCode, type LimitFacts } from '../lib/errors.ts';
import type { EntityManager } from '../store/database.ts';
import { BackupEntity } from '../store/entities/backup.ts';
import { DataKeyEntity } from '../store/entities/data-key.ts';
import { OperationEntity } from '../store/entities/operation.ts';
import { OrganizationEntity } from '../store/entities/organization.ts';
import { RegionEntity } from '../store/entities/region.ts';
import { memoryBounds, type Plan, planOf } from './plans.ts';

const bytesPerMib = 1024 * 1024;

/** An organization under lock, with what its plan allows. */
export interface Reservation {
  readonly organizationId: string;
  readonly planName: string;
  readonly plan: Plan;
}

/** What an organization has of what its plan limits. */
export interface Usage {
  readonly instances: number;
  readonly memoryBytes: number;
  readonly keys: number;
  readonly operationsInFlight: number;
  readonly backups: number;
}

/**
 * Locks an organization until the transaction ends, so that what is counted next stays true.
 * @throws {AppError} `not_found` for one that was deleted meanwhile.
 */
export async function lockOrganization(
  tx: EntityManager,
  organizationId: string,
): Promise<Reservation> {
  const organization = await tx.findOne(
    OrganizationEntity,
    { id: organizationId, deletedAt: null },
    { lockMode: LockMode.PESSIMISTIC_WRITE, refresh: true },
  );
  if (!organization) throw new AppError('not_found', 'There is no such organization.');
  const { plan } = organization;
  return { organizationId, planName: plan, plan: planOf(plan) };
}

/** @throws {AppError} `too_many_operations` unless another operation may begin. */
export async function reserveOperation(
  tx: EntityManager,
  { organizationId, plan }: Reservation,
): Promise<void> {
  const used = await countOperations(tx, organizationId);
  const facts = { name: 'operationsInFlight', limit: plan.operationsInFlightMax, used };
  if (used < plan.operationsInFlightMax) return;
  refuse('too_many_operations', organizationId, { ...facts, requested: 1 }, 'operations under way');
}

/**
 * @param growthBytes by how much the organization's memory grows, and
 * @param newInstances by how many its instances.
 * @throws {AppError} `plan_limit` for an instance too large or small for the plan, `quota_exceeded`.
 */
export async function reserveMemory(
  tx: EntityManager,
  { organizationId, plan }: Reservation,
  wanted: { maxMemoryBytes: number; growthBytes: number; newInstances: number },
): Promise<void> {
  checkInstanceMemory(organizationId, plan, wanted.maxMemoryBytes);
  const { instances, memoryBytes } = await countInstances(tx, organizationId);
  if (wanted.newInstances > 0 && instances + wanted.newInstances > plan.instancesMax) {
    const facts = { limit: plan.instancesMax, used: instances, requested: wanted.newInstances };
    refuse('quota_exceeded', organizationId, { name: 'instances', ...facts }, 'instances');
  }
  const limit = plan.memoryMibTotalMax * bytesPerMib;
  if (wanted.growthBytes > 0 && memoryBytes + wanted.growthBytes > limit) {
    const facts = { limit, used: memoryBytes, requested: wanted.growthBytes };
    refuse('quota_exceeded', organizationId, { name: 'memoryBytes', ...facts }, 'bytes of memory');
  }
}

/** @throws {AppError} `quota_exceeded` unless there may be one more data key. */
export async function reserveKey(
  tx: EntityManager,
  { organizationId, plan }: Reservation,
): Promise<void> {
  const used = await tx.count(DataKeyEntity, { organizationId });
  if (used < plan.keysMax) return;
  const facts = { name: 'keys', limit: plan.keysMax, used, requested: 1 };
  refuse('quota_exceeded', organizationId, facts, 'data keys');
}

/** @throws {AppError} `quota_exceeded` unless there may be one more backup. */
export async function reserveBackup(
  tx: EntityManager,
  { organizationId, plan }: Reservation,
): Promise<void> {
  const used = await countBackups(tx, organizationId);
  if (used < plan.backupsMax) return;
  const facts = { name: 'backups', limit: plan.backupsMax, used, requested: 1 };
  refuse('quota_exceeded', organizationId, facts, 'backups');
}

/** @throws {AppError} `plan_limit` where more backups are to be kept than the plan has places for. */
export function requireKeepable({ organizationId, plan }: Reservation, keepCount: number): void {
  if (keepCount <= plan.backupsMax) return;
  const message = `The plan allows ${plan.backupsMax} backups; keepCount cannot be more.`;
  const limit = { name: 'backups', limit: plan.backupsMax, used: 0, requested: keepCount };
  throw new AppError('plan_limit', message, { organizationId, limit });
}

/**
 * Admits memory to a region: the sum of what its instances can come to use never passes what its host has.
 * @throws {AppError} `region_full`.
 */
export async function reserveHostMemory(
  tx: EntityManager,
  { organizationId }: Reservation,
  { region, growthMib, capacityMib }: { region: string; growthMib: number; capacityMib: number },
): Promise<void> {
  if (growthMib <= 0) return;
  await lockRegion(tx, region);
  const [row] = await tx
    .getConnection()
    .execute<{ used: number | string | null }[]>(
      "select sum(reserved_mib) as used from instances where region = ? and status <> 'DELETED'",
      [region],
      'all',
      tx.getTransactionContext(),
    );
  const used = Number(row?.used ?? 0);
  if (used + growthMib <= capacityMib) return;
  // What others have is not told: only what is left.
  const leftMib = Math.max(0, capacityMib - used);
  const limit = { name: 'regionMemoryMib', limit: leftMib, used: 0, requested: growthMib };
  const message = `The region ${region} has ${leftMib} MiB left; this needs ${growthMib} MiB.`;
  const detail = `${used} of ${capacityMib} MiB are promised`;
  throw new AppError('region_full', message, { organizationId, limit, detail });
}

async function lockRegion(tx: EntityManager, id: string): Promise<void> {
  const lock = { lockMode: LockMode.PESSIMISTIC_WRITE, refresh: true };
  if (await tx.findOne(RegionEntity, { id }, lock)) return;
  await tx.upsert(RegionEntity, { id });
  await tx.findOneOrFail(RegionEntity, { id }, lock);
}

/** Counts what an organization has; for people to see beside the plan. */
export async function readUsage(em: EntityManager, organizationId: string): Promise<Usage> {
  return {
    ...(await countInstances(em, organizationId)),
    keys: await em.count(DataKeyEntity, { organizationId }),
    operationsInFlight: await countOperations(em, organizationId),
    backups: await countBackups(em, organizationId),
  };
}

async function countInstances(
  em: EntityManager,
  organizationId: string,
): Promise<Pick<Usage, 'instances' | 'memoryBytes'>> {
  const [row] = await em
    .getConnection()
    .execute<{ instances: number | string; bytes: number | string | null }[]>(
      // Until it is made real, a smaller size frees nothing.
      `select count(*) as instances,
              sum(case when applied_max_memory_bytes > max_memory_bytes
                       then applied_max_memory_bytes else max_memory_bytes end) as bytes
         from instances where organization_id = ? and status <> 'DELETED'`,
      [organizationId],
      'all',
      em.getTransactionContext(),
    );
  return { instances: Number(row?.instances ?? 0), memoryBytes: Number(row?.bytes ?? 0) };
}

/** Those that are being removed take no place, nor those that failed, once their files are gone. */
async function countBackups(em: EntityManager, organizationId: string): Promise<number> {
  const status = { $in: ['QUEUED' as const, 'RUNNING' as const, 'AVAILABLE' as const] };
  const left = { status: 'FAILED' as const, location: { $ne: null } };
  return await em.count(BackupEntity, { organizationId, $or: [{ status }, left] });
}

async function countOperations(em: EntityManager, organizationId: string): Promise<number> {
  const status = { $in: ['QUEUED', 'RUNNING'] as const };
  return await em.count(OperationEntity, { organizationId, status: { $in: [...status.$in] } });
}

function checkInstanceMemory(organizationId: string, plan: Plan, requested: number): void {
  const { minBytes, maxBytes } = memoryBounds(plan);
  if (requested >= minBytes && requested <= maxBytes) return;
  const limit = requested < minBytes ? minBytes : maxBytes;
  const message = `The plan allows maxMemory from ${minBytes} to ${maxBytes} bytes.`;
  const facts = { name: 'maxMemoryBytes', limit, used: 0, requested };
  throw new AppError('plan_limit', message, { organizationId, limit: facts });
}

function refuse(code: ErrorCode, organizationId: string, limit: LimitFacts, what: string): never {
  const message =
    `The plan allows ${limit.limit} ${what}; ${limit.used} are in use, ` +
    `${limit.requested} more were asked for.`;
  const headers = code === 'too_many_operations' ? { 'Retry-After': '5' } : {};
  throw new AppError(code, message, { organizationId, limit, headers });
}
