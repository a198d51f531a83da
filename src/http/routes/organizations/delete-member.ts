import { z } from 'zod';
import { removeMember } from '../../../accounts/members.ts';
import { defineRoute } from '../../route.ts';
import { memberParams } from '../../schemas/accounts.ts';

export const deleteMemberRoute = defineRoute({
  method: 'delete',
  path: '/api/v1/organizations/:organizationId/members/:userId',
  access: 'account',
  operationId: 'removeMember',
  summary: 'Remove a member, or leave',
  description: "The organization's account keys that they made stay: remove those apart.",
  action: 'member.delete',
  errors: ['last_owner'],
  params: memberParams,
  answers: { 204: { description: 'Removed', schema: z.undefined() } },
  async handle({ params, caller, services }) {
    await removeMember(services, caller, params.organizationId, params.userId);
    return { status: 204, body: undefined };
  },
});
