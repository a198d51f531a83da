import { z } from 'zod';
import { deleteKey } from '../../../keys/change-key.ts';
import { defineRoute } from '../../route.ts';
import { keyParams } from '../../schemas/keys.ts';

export const deleteRoute = defineRoute({
  method: 'delete',
  path: '/api/v1/api-keys/:keyId',
  access: 'account',
  operationId: 'deleteApiKey',
  summary: 'Delete an API key; its connections end at once',
  action: 'key.delete',
  errors: ['changed_meanwhile'],
  params: keyParams,
  answers: {
    200: {
      description: 'Deleted, and refused everywhere',
      schema: z.object({
        message: z.string().meta({ example: 'API key deleted' }),
        apiKey: z.object({ id: z.string().meta({ example: 'key_xyz789' }) }),
      }),
    },
  },
  async handle({ params, caller, services }) {
    await deleteKey(services, caller, params.keyId);
    return { status: 200, body: { message: 'API key deleted', apiKey: { id: params.keyId } } };
  },
});
