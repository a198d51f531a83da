import { z } from 'zod';
import { listKeys } from '../../../keys/read-keys.ts';
import { presentKeyWithInstances } from '../../present/keys.ts';
import { defineRoute } from '../../route.ts';
import { nextCursor, organizationId, pageQueryFields } from '../../schemas/common.ts';
import { keyWithInstancesSchema } from '../../schemas/keys.ts';

export const listRoute = defineRoute({
  method: 'get',
  path: '/api/v1/api-keys',
  access: 'account',
  operationId: 'listApiKeys',
  summary: "List an organization's API keys",
  errors: ['not_found'],
  query: z.strictObject({ organizationId, ...pageQueryFields }),
  answers: {
    200: {
      description: 'The keys, oldest first',
      schema: z.object({ apiKeys: z.array(keyWithInstancesSchema), nextCursor }),
    },
  },
  async handle({ query, caller, services }) {
    const page = await listKeys(services.orm, caller, query.organizationId, query);
    return {
      status: 200,
      body: { apiKeys: page.rows.map(presentKeyWithInstances), nextCursor: page.nextCursor },
    };
  },
});
