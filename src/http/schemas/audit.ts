/** The audit log, as the control API gives it. */
import { z } from 'zod';
import { organizationId, pageQueryFields, timestamp } from './common.ts';

const outcome = z.enum(['done', 'refused']);
const action = z
  .string()
  .max(64)
  .regex(/^[a-z.-]*$/, 'must be an action like instance.create');
const instant = z.iso.datetime({ offset: true });

export const auditFilterSchema = z.strictObject({
  organizationId: organizationId.optional().meta({
    description: 'Without it: what the person who asks did, and what was done to their account.',
  }),
  action: action.optional().meta({ example: 'instance.create' }),
  outcome: outcome.optional(),
  targetId: z
    .string()
    .max(64)
    .regex(/^\w*$/, 'must be an id')
    .optional()
    .meta({ description: 'The id of what it is about.', example: 'inst_abc123' }),
  from: instant.optional().meta({ description: 'From this time on.' }),
  to: instant.optional().meta({ description: 'Before this time.' }),
  ...pageQueryFields,
});

export const auditEntrySchema = z
  .object({
    id: z.string().meta({ example: 'aud_k2v7' }),
    organizationId: z.string().nullable().meta({ example: 'org_abc123' }),
    createdAt: timestamp,
    actor: z.object({
      kind: z.enum(['account-key', 'user', 'operator', 'system', 'anonymous']),
      id: z.string().nullable().meta({ example: 'acct_k2v7' }),
    }),
    action: z.string().meta({ example: 'instance.create' }),
    outcome,
    targetId: z.string().nullable().meta({ example: 'inst_abc123' }),
    ip: z.string().nullable().meta({ example: '192.0.2.1' }),
    requestId: z.string().nullable().meta({ example: 'req_w4tts3zejuwk6qlt' }),
    details: z.record(z.string(), z.unknown()).meta({ example: { name: 'my-cache' } }),
  })
  .meta({ id: 'AuditEntry' });
