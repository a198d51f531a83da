import { z } from 'zod';
import { listOrganizations } from '../../../accounts/organizations.ts';
import { presentOrganization } from '../../present/accounts.ts';
import { defineRoute } from '../../route.ts';
import { organizationSchema, pageQuerySchema } from '../../schemas/accounts.ts';
import { nextCursor } from '../../schemas/common.ts';

export const listRoute = defineRoute({
  method: 'get',
  path: '/api/v1/organizations',
  access: 'account',
  operationId: 'listOrganizations',
  summary: 'List the organizations that the caller may act for',
  description: 'Oldest first.',
  query: pageQuerySchema,
  answers: {
    200: {
      description: 'The organizations',
      schema: z.object({ organizations: z.array(organizationSchema), nextCursor }),
    },
  },
  async handle({ query, caller, services }) {
    const { own, nextCursor } = await listOrganizations(services.orm, caller, query);
    return { status: 200, body: { organizations: own.map(presentOrganization), nextCursor } };
  },
});
