import { z } from 'zod';
import { keyEtag, updateKey } from '../../../keys/change-key.ts';
import { toDate } from '../../../lib/end-time.ts';
import { presentKeyWithInstances } from '../../present/keys.ts';
import { defineRoute } from '../../route.ts';
import { keyChangesSchema, keyParams, keyWithInstancesSchema } from '../../schemas/keys.ts';

export const updateRoute = defineRoute({
  method: 'patch',
  path: '/api/v1/api-keys/:keyId',
  access: 'account',
  operationId: 'updateApiKey',
  summary: 'Change an API key: its name, and what it may do, from where, and how long',
  action: 'key.update',
  errors: ['changed_meanwhile'],
  params: keyParams,
  body: keyChangesSchema,
  answers: {
    200: {
      description: 'Changed, and in force',
      headers: ['ETag'],
      schema: z.object({ apiKey: keyWithInstancesSchema }),
    },
  },
  async handle({ params, body, caller, request, services }) {
    const { expiresAt, ...others } = body;
    const changes = expiresAt === undefined ? others : { ...others, expiresAt: toDate(expiresAt) };
    const { ifMatch } = request;
    const changed = await updateKey(services, caller, params.keyId, { changes, ifMatch });
    return {
      status: 200,
      headers: { ETag: keyEtag(changed.key) },
      body: { apiKey: presentKeyWithInstances(changed) },
    };
  },
});
