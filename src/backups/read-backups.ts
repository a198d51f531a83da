/**
 * Reading backups: one, or an organization's, page by page. A backup is its organization's, so it is there
 * also when its instance is gone.
 */
import { LockMode } from '@mikro-orm/core';
import { type Caller, requireRole } from '../accounts/caller.ts';
import type { Role } from '../accounts/roles.ts';
import { findOwnInstance } from '../instances/ownership.ts';
import { AppError } from '../lib/errors.ts';
import { idPattern } from '../lib/ids.ts';
import type { EntityManager, Orm } from '../store/database.ts';
import { type Backup, BackupEntity, type BackupStatus } from '../store/entities/backup.ts';
import { type Page, type PageRequest, pageQuery, toPage } from '../store/paging.ts';

const backupIdPattern = idPattern('bkp');

/**
 * Finds a backup of an organization where the caller has the role that the deed needs; with `lock`, within
 * a transaction that is about to change it. One that is being removed is gone.
 * @throws {AppError} `not_found`, `forbidden`.
 */
export async function findOwnBackup(
  em: EntityManager,
  caller: Caller,
  backupId: string,
  needed: Role,
  { lock = false } = {},
): Promise<Backup> {
  const organizationId = { $in: [...caller.roles.keys()] };
  const backup = backupIdPattern.test(backupId)
    ? await em.findOne(
        BackupEntity,
        { id: backupId, organizationId, status: { $ne: 'DELETING' } },
        lock ? { lockMode: LockMode.PESSIMISTIC_WRITE } : {},
      )
    : null;
  if (!backup) throw new AppError('not_found', 'There is no such backup.');
  requireRole(caller, backup.organizationId, needed);
  return backup;
}

/** What a list is about: everything that is given must hold. */
export interface BackupFilter {
  readonly statuses?: readonly BackupStatus[] | undefined;
  readonly instanceId?: string | undefined;
}

/**
 * Lists an organization's backups, newest first.
 * @throws {AppError} `not_found`, and `invalid_request` for a cursor that no list gave.
 */
export async function listBackups(
  orm: Orm,
  caller: Caller,
  organizationId: string,
  filter: BackupFilter,
  page: PageRequest,
): Promise<Page<Backup>> {
  requireRole(caller, organizationId, 'viewer');
  const { statuses, instanceId } = filter;
  const { where, options } = pageQuery<Backup>(page, 'newest first');
  const conditions = [
    { organizationId, status: { $ne: 'DELETING' as const } },
    ...(statuses ? [{ status: { $in: [...statuses] } }] : []),
    ...(instanceId === undefined ? [] : [{ instanceId }]),
    where,
  ];
  return toPage(await orm.em.fork().find(BackupEntity, { $and: conditions }, options), page);
}

/** Lists a live instance's backups, newest first. @throws {AppError} `not_found`, `invalid_request`. */
export async function listBackupsOfInstance(
  orm: Orm,
  caller: Caller,
  instanceId: string,
  page: PageRequest,
): Promise<Page<Backup>> {
  const em = orm.em.fork() as EntityManager;
  const { id, organizationId } = await findOwnInstance(em, caller, instanceId, 'viewer');
  return await listBackups(orm, caller, organizationId, { instanceId: id }, page);
}
