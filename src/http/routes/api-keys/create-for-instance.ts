import { z } from 'zod';
import { createInstanceKey } from '../../../keys/create-key.ts';
import { toDate } from '../../../lib/end-time.ts';
import { presentCreatedKeyWithInstances } from '../../present/keys.ts';
import { defineRoute } from '../../route.ts';
import { instanceParams } from '../../schemas/instances.ts';
import { createdKeyWithInstancesSchema, newInstanceKeySchema } from '../../schemas/keys.ts';

export const createForInstanceRoute = defineRoute({
  method: 'post',
  path: '/api/v1/instances/:instanceId/api-keys',
  access: 'account',
  operationId: 'createInstanceApiKey',
  summary: 'Create an API key for an instance',
  action: 'key.create',
  errors: ['state_conflict', 'too_many_keys', 'quota_exceeded'],
  params: instanceParams,
  body: newInstanceKeySchema,
  answers: {
    201: {
      description: 'The key, in force. Its text is shown only here.',
      headers: ['Location'],
      schema: z.object({ createdKey: createdKeyWithInstancesSchema }),
    },
  },
  async handle({ params, body, caller, services }) {
    const created = await createInstanceKey(services, caller, params.instanceId, {
      ...body,
      expiresAt: toDate(body.expiresAt),
    });
    return {
      status: 201,
      headers: { Location: `/api/v1/api-keys/${created.key.id}` },
      body: { createdKey: presentCreatedKeyWithInstances(created) },
    };
  },
});
