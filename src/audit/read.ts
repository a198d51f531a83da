/** The audit log as an organization's admins read it, and as a person reads what concerns themselves. */

import type { FilterQuery } from '@mikro-orm/core';
import { type Caller, requirePerson, requireRole } from '../accounts/caller.ts';
import type { Orm } from '../store/database.ts';
import { type AuditEntry, AuditEntryEntity } from '../store/entities/audit-entry.ts';
import { type Page, type PageRequest, pageQuery, toPage } from '../store/paging.ts';

export interface AuditQuery extends PageRequest {
  /** Undefined asks for what the caller did, and what was done to their account. */
  readonly organizationId: string | undefined;
  readonly action?: string | undefined;
  readonly outcome?: AuditEntry['outcome'] | undefined;
  readonly targetId?: string | undefined;
  /** From this time on, and before that one. */
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
}

/**
 * Lists an organization's entries, or those about the person who asks; newest first.
 * @throws {AppError} `not_found`, `forbidden`, `person_needed`.
 */
export async function listAuditEntries(
  orm: Orm,
  caller: Caller,
  { organizationId, action, outcome, targetId, from, to, ...page }: AuditQuery,
): Promise<Page<AuditEntry>> {
  const whose =
    organizationId === undefined ? ofPerson(caller) : ofOrganization(caller, organizationId);
  const { where, options } = pageQuery<AuditEntry>(page, 'newest first');
  const filter = {
    ...(action !== undefined && { action }),
    ...(outcome !== undefined && { outcome }),
    ...(targetId !== undefined && { targetId }),
    createdAt: { ...(from && { $gte: from }), ...(to && { $lt: to }) },
  };
  const found = await orm.em
    .fork()
    .find(AuditEntryEntity, { $and: [whose, filter, where] }, options);
  const { rows, nextCursor } = toPage(found, page);
  return { rows: rows.map((entry) => hideOthers(caller, organizationId, entry)), nextCursor };
}

function ofOrganization(caller: Caller, organizationId: string): FilterQuery<AuditEntry> {
  requireRole(caller, organizationId, 'admin');
  return { organizationId };
}

function ofPerson(caller: Caller): FilterQuery<AuditEntry> {
  const { userId } = requirePerson(caller, 'admin');
  return { $or: [{ actorId: userId }, { targetId: userId }] };
}

/** Who was given a role need not learn from where: that is for the organization's admins. */
function hideOthers({ userId }: Caller, asked: string | undefined, entry: AuditEntry): AuditEntry {
  const isOwn = entry.actorId === userId || entry.organizationId === null;
  return asked !== undefined || isOwn ? entry : { ...entry, ip: null, requestId: null };
}
