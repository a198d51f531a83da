/**
 * Imports: an RDB file that somebody brings becomes a backup, to be restored like any other.
 *
 * Guarantees: the row is there before the first byte goes into the store, held by this process as long as
 * bytes arrive; so an upload that breaks off, here or anywhere, leaves nothing behind.
 */
import type { Readable } from 'node:stream';
import type { Caller } from '../accounts/caller.ts';
import { findOwnInstance, lockOwnInstance } from '../instances/ownership.ts';
import { lockOrganization, reserveBackup } from '../instances/quotas.ts';
import type { InstanceServices } from '../instances/services.ts';
import { AppError } from '../lib/errors.ts';
import { heartbeatMs, leaseMs } from '../lib/lease-times.ts';
import type { EntityManager } from '../store/database.ts';
import { type Backup, BackupEntity } from '../store/entities/backup.ts';
import { queueBackup, recordBackup } from './create-backup.ts';
import { markDeleting } from './delete-backup.ts';
import type { BackupPorts, StoredFile } from './services.ts';

/** An RDB file is smaller than its data in memory; an empty one has a few bytes all the same. */
const fileMarginBytes = 1024 * 1024;

type ImportServices = InstanceServices & BackupPorts;

/**
 * Takes in an RDB file for an instance. It is loaded by a Redis like the instance's before it is AVAILABLE.
 * @param authenticateAgain finds the caller once more when the file has arrived.
 * @throws {AppError} `not_found`, `forbidden`, `quota_exceeded`, `body_too_large`, `backup_invalid`,
 * `backup_store_unreachable`.
 */
export async function importBackup(
  services: ImportServices,
  caller: Caller,
  instanceId: string,
  upload: { readonly rdb: Readable; readonly authenticateAgain: () => Promise<Caller> },
): Promise<Backup> {
  const { backup, location, bytesMax } = await beginImport(services, caller, instanceId);
  const heartbeat = setInterval(() => {
    renew(services, backup).catch(() => {});
  }, heartbeatMs);
  try {
    const target = { id: backup.id, location };
    const stored = await services.vault.put(target, upload.rdb, { bytesMax }).catch((error) => {
      if (error instanceof AppError) throw error;
      throw new AppError('backup_invalid', 'The upload broke off.', { cause: error });
    });
    const em = services.orm.em.fork() as EntityManager;
    const stillCaller = await upload.authenticateAgain();
    await findOwnInstance(em, stillCaller, instanceId, 'developer');
    return await endImport(services, stillCaller, backup, stored);
  } catch (error) {
    await abandon(services, backup, location);
    throw error;
  } finally {
    clearInterval(heartbeat);
    services.backupRunner.wake();
  }
}

async function beginImport(
  { orm, clock }: ImportServices,
  caller: Caller,
  instanceId: string,
): Promise<{ backup: Backup; location: string; bytesMax: number }> {
  const em = orm.em.fork() as EntityManager;
  return await em.transactional(async (tx) => {
    const instance = await lockOwnInstance(tx, caller, instanceId, 'developer');
    await reserveBackup(tx, await lockOrganization(tx, instance.organizationId));
    const now = clock.now();
    const backup = queueBackup(tx, instance, 'import', now);
    const location = locationOf(backup, 0);
    const leaseExpiresAtMs = now.getTime() + leaseMs;
    Object.assign(backup, { status: 'RUNNING', location, leaseOwner: 'upload', leaseExpiresAtMs });
    await tx.flush();
    return { backup, location, bytesMax: instance.maxMemoryBytes + fileMarginBytes };
  });
}

/** Where a backup lies in the store; each try has a place of its own, so that two never write one file. */
export function locationOf({ id, instanceId }: Backup, epoch: number): string {
  return `${instanceId}/${id}.${epoch}.rdb.sealed`;
}

async function renew({ orm, clock }: ImportServices, { id, leaseEpoch }: Backup): Promise<void> {
  const leaseExpiresAtMs = clock.now().getTime() + leaseMs;
  await orm.em.fork().nativeUpdate(BackupEntity, { id, leaseEpoch }, { leaseExpiresAtMs });
}

async function endImport(
  { orm, clock }: ImportServices,
  caller: Caller,
  { id, leaseEpoch }: Backup,
  stored: StoredFile,
): Promise<Backup> {
  const em = orm.em.fork() as EntityManager;
  return await em.transactional(async (tx) => {
    const backup = await tx.findOne(BackupEntity, { id, leaseEpoch });
    if (!backup) throw new AppError('state_conflict', 'The import was given up meanwhile.');
    const free = { status: 'QUEUED', leaseOwner: null, leaseExpiresAtMs: 0 } as const;
    Object.assign(backup, stored, free);
    recordBackup(tx, caller, clock.now(), backup, 'backup.import');
    await tx.flush();
    return backup;
  });
}

async function abandon(
  { orm, vault }: ImportServices,
  { id, leaseEpoch }: Backup,
  location: string,
): Promise<void> {
  const em = orm.em.fork() as EntityManager;
  const backup = await em.findOne(BackupEntity, { id, leaseEpoch });
  if (backup) {
    markDeleting(backup);
    // It was this process's own, and is at its end.
    backup.leaseExpiresAtMs = 0;
    await em.flush();
    return;
  }
  // Somebody deleted it meanwhile, and its file may have come after that.
  await vault.remove(location);
}
