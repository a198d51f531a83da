/**
 * The audit log: every change and every refused try, with who, what, from where and when.
 *
 * Guarantees: a change and its entry are one transaction, so neither is there without the other; an entry
 * is never changed or removed, which the database itself refuses; no secret and no value is in it.
 */
import type { Caller } from '../accounts/caller.ts';
import { newId } from '../lib/ids.ts';
import type { EntityManager } from '../store/database.ts';
import { AuditEntryEntity } from '../store/entities/audit-entry.ts';

export interface AuditFact {
  readonly organizationId: string | null;
  /** A noun and a verb, e.g. `instance.create`. */
  readonly action: string;
  readonly targetId?: string | null;
  /** What was asked for, as it may be shown to an organization's admins. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Notes a change in the transaction that makes it; it is written with the next flush. */
export function recordChange(em: EntityManager, caller: Caller, now: Date, fact: AuditFact): void {
  record(em, caller, now, fact, 'done');
}

/** Notes a refused try. */
export function recordRefusal(em: EntityManager, caller: Caller, now: Date, fact: AuditFact): void {
  record(em, caller, now, fact, 'refused');
}

function record(
  em: EntityManager,
  { kind, id, origin }: Caller,
  now: Date,
  { organizationId, action, targetId = null, details = {} }: AuditFact,
  outcome: 'done' | 'refused',
): void {
  em.create(AuditEntryEntity, {
    id: newId('aud'),
    organizationId,
    createdAt: now,
    actorKind: kind,
    actorId: id,
    action,
    outcome,
    targetId,
    ip: origin.ip,
    requestId: origin.requestId,
    details,
  });
}
