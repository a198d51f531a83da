import { z } from 'zod';
import { revokeInvitation } from '../../../accounts/invitations.ts';
import { defineRoute } from '../../route.ts';
import { invitationParams } from '../../schemas/accounts.ts';

export const deleteRoute = defineRoute({
  method: 'delete',
  path: '/api/v1/organizations/:organizationId/invitations/:invitationId',
  access: 'account',
  operationId: 'revokeInvitation',
  summary: 'Revoke an invitation; its link lets nobody in any more',
  action: 'invitation.delete',
  params: invitationParams,
  answers: { 204: { description: 'Revoked', schema: z.undefined() } },
  async handle({ params, caller, services }) {
    await revokeInvitation(services, caller, params.organizationId, params.invitationId);
    return { status: 204, body: undefined };
  },
});
