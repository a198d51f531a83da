import { defineEntity, type InferEntity, p } from '@mikro-orm/core';

/** An `operator` worked past the API, with Pulumi or with a script on the machine. */
export type ActorKind = 'account-key' | 'user' | 'operator' | 'system' | 'anonymous';

/** One line of the audit log: who did, or was refused, what. The database refuses to change or remove it. */
export const AuditEntryEntity = defineEntity({
  name: 'AuditEntry',
  tableName: 'audit_entries',
  properties: {
    id: p.string().primary(),
    /** Null for what concerns no organization, e.g. a failed log-in. */
    organizationId: p.string().nullable(),
    createdAt: p.datetime(),
    actorKind: p.string().$type<ActorKind>(),
    actorId: p.string().nullable(),
    /** A noun and a verb, e.g. `instance.create`. */
    action: p.string(),
    outcome: p.string().$type<'done' | 'refused'>(),
    targetId: p.string().nullable(),
    ip: p.string().nullable(),
    requestId: p.string().nullable(),
    /** What was asked for: never a secret or a value. */
    details: p.json<Record<string, unknown>>(),
  },
});

export type AuditEntry = InferEntity<typeof AuditEntryEntity>;
