/** The audit log as an organization's admins read it. */
import { type Caller, requireRole } from '../accounts/caller.ts';
import type { Orm } from '../store/database.ts';
import { type AuditEntry, AuditEntryEntity } from '../store/entities/audit-entry.ts';
import { type Page, type PageRequest, pageQuery, toPage } from '../store/paging.ts';

export interface AuditQuery extends PageRequest {
  readonly organizationId: string;
  readonly action?: string | undefined;
  readonly outcome?: AuditEntry['outcome'] | undefined;
  readonly targetId?: string | undefined;
  /** From this time on, and before that one. */
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
}

/** Lists an organization's entries, newest first. @throws {AppError} `not_found`, `forbidden`. */
export async function listAuditEntries(
  orm: Orm,
  caller: Caller,
  { organizationId, action, outcome, targetId, from, to, ...page }: AuditQuery,
): Promise<Page<AuditEntry>> {
  requireRole(caller, organizationId, 'admin');
  const { where, options } = pageQuery<AuditEntry>(page, 'newest first');
  const filter = {
    organizationId,
    ...(action !== undefined && { action }),
    ...(outcome !== undefined && { outcome }),
    ...(targetId !== undefined && { targetId }),
    createdAt: { ...(from && { $gte: from }), ...(to && { $lt: to }) },
  };
  const found = await orm.em.fork().find(AuditEntryEntity, { $and: [filter, where] }, options);
  return toPage(found, page);
}
