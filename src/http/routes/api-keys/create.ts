import { z } from 'zod';
import { createKey } from '../../../keys/create-key.ts';
import { toDate } from '../../../lib/end-time.ts';
import { presentCreatedKeyWithInstances } from '../../present/keys.ts';
import { defineRoute } from '../../route.ts';
import { createdKeyWithInstancesSchema, newKeySchema } from '../../schemas/keys.ts';

export const createRoute = defineRoute({
  method: 'post',
  path: '/api/v1/api-keys',
  access: 'account',
  operationId: 'createApiKey',
  summary: 'Create an API key for several instances, or for none yet',
  action: 'key.create',
  errors: ['not_found', 'state_conflict', 'too_many_keys', 'quota_exceeded'],
  body: newKeySchema,
  answers: {
    201: {
      description: 'The key, in force. Its text is shown only here.',
      headers: ['Location'],
      schema: z.object({ createdKey: createdKeyWithInstancesSchema }),
    },
  },
  async handle({ body, caller, services }) {
    const expiresAt = toDate(body.expiresAt);
    const created = await createKey(services, caller, { ...body, expiresAt });
    return {
      status: 201,
      headers: { Location: `/api/v1/api-keys/${created.key.id}` },
      body: { createdKey: presentCreatedKeyWithInstances(created) },
    };
  },
});
