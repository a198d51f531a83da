import { z } from 'zod';
import { listMembers } from '../../../accounts/members.ts';
import { presentMember } from '../../present/accounts.ts';
import { defineRoute } from '../../route.ts';
import { memberSchema, organizationParams, pageQuerySchema } from '../../schemas/accounts.ts';
import { nextCursor } from '../../schemas/common.ts';

export const listMembersRoute = defineRoute({
  method: 'get',
  path: '/api/v1/organizations/:organizationId/members',
  access: 'account',
  operationId: 'listMembers',
  summary: "List an organization's members",
  params: organizationParams,
  query: pageQuerySchema,
  answers: {
    200: {
      description: 'The members',
      schema: z.object({ members: z.array(memberSchema), nextCursor }),
    },
  },
  async handle({ params, query, caller, services }) {
    const { organizationId } = params;
    const page = await listMembers(services.orm, caller, organizationId, query);
    const { members, nextCursor } = page;
    return { status: 200, body: { members: members.map(presentMember), nextCursor } };
  },
});
