import { z } from 'zod';
import { listInvitations } from '../../../accounts/invitations.ts';
import { presentInvitation } from '../../present/accounts.ts';
import { defineRoute } from '../../route.ts';
import { invitationSchema, organizationParams, pageQuerySchema } from '../../schemas/accounts.ts';
import { nextCursor } from '../../schemas/common.ts';

export const listRoute = defineRoute({
  method: 'get',
  path: '/api/v1/organizations/:organizationId/invitations',
  access: 'account',
  operationId: 'listInvitations',
  summary: "List an organization's invitations",
  description: 'Newest first, accepted and expired ones too.',
  params: organizationParams,
  query: pageQuerySchema,
  answers: {
    200: {
      description: 'The invitations',
      schema: z.object({ invitations: z.array(invitationSchema), nextCursor }),
    },
  },
  async handle({ params, query, caller, services }) {
    const { organizationId } = params;
    const { rows, nextCursor } = await listInvitations(services.orm, caller, organizationId, query);
    return { status: 200, body: { invitations: rows.map(presentInvitation), nextCursor } };
  },
});
