import { z } from 'zod';
import { createInvitation } from '../../../accounts/invitations.ts';
import { presentCreatedInvitation } from '../../present/accounts.ts';
import { defineRoute } from '../../route.ts';
import {
  createdInvitationSchema,
  newInvitationSchema,
  organizationParams,
} from '../../schemas/accounts.ts';

export const createRoute = defineRoute({
  method: 'post',
  path: '/api/v1/organizations/:organizationId/invitations',
  access: 'account',
  operationId: 'createInvitation',
  summary: 'Invite somebody by a link',
  description: 'The link lets in one person. It is shown only here; the service sends no mail.',
  action: 'invitation.create',
  errors: ['quota_exceeded'],
  params: organizationParams,
  body: newInvitationSchema,
  answers: {
    201: {
      description: 'The invitation with its link',
      schema: z.object({ invitation: createdInvitationSchema }),
    },
  },
  async handle({ params, body, caller, request, services }) {
    const created = await createInvitation(services, caller, { ...params, ...body });
    const invitation = presentCreatedInvitation(created, request.baseUrl);
    return { status: 201, body: { invitation } };
  },
});
