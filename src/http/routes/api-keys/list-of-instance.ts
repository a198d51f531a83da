import { z } from 'zod';
import { listKeysOfInstance } from '../../../keys/read-keys.ts';
import { presentKeyWithInstances } from '../../present/keys.ts';
import { defineRoute } from '../../route.ts';
import { nextCursor, pageQueryFields } from '../../schemas/common.ts';
import { instanceParams } from '../../schemas/instances.ts';
import { keyWithInstancesSchema } from '../../schemas/keys.ts';

export const listOfInstanceRoute = defineRoute({
  method: 'get',
  path: '/api/v1/instances/:instanceId/api-keys',
  access: 'account',
  operationId: 'listInstanceApiKeys',
  summary: "List an instance's API keys",
  params: instanceParams,
  query: z.strictObject(pageQueryFields),
  answers: {
    200: {
      description: 'The keys, oldest first',
      schema: z.object({ apiKeys: z.array(keyWithInstancesSchema), nextCursor }),
    },
  },
  async handle({ params, query, caller, services }) {
    const page = await listKeysOfInstance(services.orm, caller, params.instanceId, query);
    return {
      status: 200,
      body: { apiKeys: page.rows.map(presentKeyWithInstances), nextCursor: page.nextCursor },
    };
  },
});
