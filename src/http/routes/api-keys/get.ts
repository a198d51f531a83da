import { z } from 'zod';
import { keyEtag } from '../../../keys/change-key.ts';
import { getKey } from '../../../keys/read-keys.ts';
import { presentKeyWithInstances } from '../../present/keys.ts';
import { defineRoute } from '../../route.ts';
import { keyParams, keyWithInstancesSchema } from '../../schemas/keys.ts';

export const getRoute = defineRoute({
  method: 'get',
  path: '/api/v1/api-keys/:keyId',
  access: 'account',
  operationId: 'getApiKey',
  summary: 'Get an API key with the instances it opens',
  params: keyParams,
  answers: {
    200: {
      description: 'The key',
      headers: ['ETag'],
      schema: z.object({ apiKey: keyWithInstancesSchema }),
    },
  },
  async handle({ params, caller, services }) {
    const found = await getKey(services.orm, caller, params.keyId);
    return {
      status: 200,
      headers: { ETag: keyEtag(found.key) },
      body: { apiKey: presentKeyWithInstances(found) },
    };
  },
});
