import { z } from 'zod';
import { changeRole, memberEtag } from '../../../accounts/members.ts';
import { presentMember } from '../../present/accounts.ts';
import { defineRoute } from '../../route.ts';
import { memberChangesSchema, memberParams, memberSchema } from '../../schemas/accounts.ts';

export const updateMemberRoute = defineRoute({
  method: 'patch',
  path: '/api/v1/organizations/:organizationId/members/:userId',
  access: 'account',
  operationId: 'updateMember',
  summary: 'Give a member another role',
  description: 'Only owners make owners, or make them something else.',
  action: 'member.update',
  errors: ['last_owner', 'changed_meanwhile'],
  params: memberParams,
  body: memberChangesSchema,
  answers: {
    200: {
      description: 'In force from the next request on',
      headers: ['ETag'],
      schema: z.object({ member: memberSchema }),
    },
  },
  async handle({ params, body, caller, request, services }) {
    const change = { ...params, role: body.role, ifMatch: request.ifMatch };
    const member = await changeRole(services, caller, change);
    return {
      status: 200,
      headers: { ETag: memberEtag(member.membership) },
      body: { member: presentMember(member) },
    };
  },
});
