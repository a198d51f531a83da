import { z } from 'zod';
import { deleteAccountKey } from '../../../accounts/manage-account-keys.ts';
import { defineRoute } from '../../route.ts';
import { accountKeyParams } from '../../schemas/accounts.ts';

export const deleteRoute = defineRoute({
  method: 'delete',
  path: '/api/v1/account-keys/:accountKeyId',
  access: 'account',
  operationId: 'deleteAccountKey',
  summary: 'Delete an account key; it is refused from the next request on',
  description: 'A key may delete itself, whatever its role.',
  action: 'account-key.delete',
  params: accountKeyParams,
  answers: { 204: { description: 'Deleted', schema: z.undefined() } },
  async handle({ params, caller, services }) {
    await deleteAccountKey(services, caller, params.accountKeyId);
    return { status: 204, body: undefined };
  },
});
