import { z } from 'zod';
import { accountKeyEtag, renameAccountKey } from '../../../accounts/manage-account-keys.ts';
import { presentAccountKey } from '../../present/accounts.ts';
import { defineRoute } from '../../route.ts';
import {
  accountKeyChangesSchema,
  accountKeyParams,
  accountKeySchema,
} from '../../schemas/accounts.ts';

export const updateRoute = defineRoute({
  method: 'patch',
  path: '/api/v1/account-keys/:accountKeyId',
  access: 'account',
  operationId: 'updateAccountKey',
  summary: 'Rename an account key',
  action: 'account-key.update',
  errors: ['changed_meanwhile'],
  params: accountKeyParams,
  body: accountKeyChangesSchema,
  answers: {
    200: {
      description: 'Renamed',
      headers: ['ETag'],
      schema: z.object({ accountKey: accountKeySchema }),
    },
  },
  async handle({ params, body, caller, request, services }) {
    const change = { name: body.name, ifMatch: request.ifMatch };
    const key = await renameAccountKey(services, caller, params.accountKeyId, change);
    return {
      status: 200,
      headers: { ETag: accountKeyEtag(key) },
      body: { accountKey: presentAccountKey(key) },
    };
  },
});
