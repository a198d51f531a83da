import { z } from 'zod';
import { accountKeyEtag, getAccountKey } from '../../../accounts/manage-account-keys.ts';
import { presentAccountKey } from '../../present/accounts.ts';
import { defineRoute } from '../../route.ts';
import { accountKeyParams, accountKeySchema } from '../../schemas/accounts.ts';

export const getRoute = defineRoute({
  method: 'get',
  path: '/api/v1/account-keys/:accountKeyId',
  access: 'account',
  operationId: 'getAccountKey',
  summary: 'Get an account key',
  description: 'A key may look at itself, whatever its role.',
  params: accountKeyParams,
  answers: {
    200: {
      description: 'The key, without its text',
      headers: ['ETag'],
      schema: z.object({ accountKey: accountKeySchema }),
    },
  },
  async handle({ params, caller, services }) {
    const key = await getAccountKey(services.orm, caller, params.accountKeyId);
    return {
      status: 200,
      headers: { ETag: accountKeyEtag(key) },
      body: { accountKey: presentAccountKey(key) },
    };
  },
});
