import { z } from 'zod';
import { createAccountKey } from '../../../accounts/manage-account-keys.ts';
import { toDate } from '../../../lib/end-time.ts';
import { presentCreatedAccountKey } from '../../present/accounts.ts';
import { defineRoute } from '../../route.ts';
import { createdAccountKeySchema, newAccountKeySchema } from '../../schemas/accounts.ts';

export const createRoute = defineRoute({
  method: 'post',
  path: '/api/v1/account-keys',
  access: 'account',
  operationId: 'createAccountKey',
  summary: 'Make an account key, for an organization or for oneself',
  action: 'account-key.create',
  errors: ['person_needed', 'quota_exceeded'],
  body: newAccountKeySchema,
  answers: {
    201: {
      description: 'The key. Its text is shown only here.',
      headers: ['Location'],
      schema: z.object({ createdAccountKey: createdAccountKeySchema }),
    },
  },
  async handle({ body, caller, services }) {
    const created = await createAccountKey(services, caller, {
      name: body.name,
      organizationId: body.organizationId,
      role: body.role,
      scope: body.scope,
      expiresAt: toDate(body.expiresAt),
    });
    return {
      status: 201,
      headers: { Location: `/api/v1/account-keys/${created.key.id}` },
      body: { createdAccountKey: presentCreatedAccountKey(created) },
    };
  },
});
