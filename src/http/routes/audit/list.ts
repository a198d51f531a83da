import { z } from 'zod';
import { listAuditEntries } from '../../../audit/read.ts';
import { presentAuditEntry } from '../../present/audit.ts';
import { defineRoute } from '../../route.ts';
import { auditEntrySchema, auditFilterSchema } from '../../schemas/audit.ts';
import { nextCursor } from '../../schemas/common.ts';

export const listRoute = defineRoute({
  method: 'get',
  path: '/api/v1/audit',
  access: 'account',
  operationId: 'listAuditEntries',
  summary: 'List what was changed in an organization, and what was refused',
  description:
    'Newest first. Everything that is asked for must hold. Without `organizationId` it lists what the ' +
    'person who asks did and what was done to their account, failed log-ins too.',
  errors: ['person_needed'],
  query: auditFilterSchema,
  answers: {
    200: {
      description: 'The entries',
      schema: z.object({ entries: z.array(auditEntrySchema), nextCursor }),
    },
  },
  async handle({ query, caller, services }) {
    const { organizationId, from, to, ...rest } = query;
    const { rows, nextCursor } = await listAuditEntries(services.orm, caller, {
      ...rest,
      organizationId,
      from: from === undefined ? undefined : new Date(from),
      to: to === undefined ? undefined : new Date(to),
    });
    return { status: 200, body: { entries: rows.map(presentAuditEntry), nextCursor } };
  },
});
