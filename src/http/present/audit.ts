import type { AuditEntry } from '../../store/entities/audit-entry.ts';
import type { auditEntrySchema } from '../schemas/audit.ts';
import type { Shown } from './failure.ts';

export function presentAuditEntry(entry: AuditEntry): Shown<typeof auditEntrySchema> {
  return {
    id: entry.id,
    organizationId: entry.organizationId ?? null,
    createdAt: entry.createdAt.toISOString(),
    actor: { kind: entry.actorKind, id: entry.actorId ?? null },
    action: entry.action,
    outcome: entry.outcome,
    targetId: entry.targetId ?? null,
    ip: entry.ip ?? null,
    requestId: entry.requestId ?? null,
    details: entry.details,
  };
}
