import { z } from 'zod';
import { listAccountKeys } from '../../../accounts/manage-account-keys.ts';
import { presentAccountKey } from '../../present/accounts.ts';
import { defineRoute } from '../../route.ts';
import { accountKeyFilterSchema, accountKeySchema } from '../../schemas/accounts.ts';
import { nextCursor } from '../../schemas/common.ts';

export const listRoute = defineRoute({
  method: 'get',
  path: '/api/v1/account-keys',
  access: 'account',
  operationId: 'listAccountKeys',
  summary: "List an organization's account keys, or one's own",
  description: 'Oldest first.',
  errors: ['person_needed'],
  query: accountKeyFilterSchema,
  answers: {
    200: {
      description: 'The keys, without their text',
      schema: z.object({ accountKeys: z.array(accountKeySchema), nextCursor }),
    },
  },
  async handle({ query, caller, services }) {
    const { organizationId, ...page } = query;
    const { rows, nextCursor } = await listAccountKeys(services.orm, caller, organizationId, page);
    return { status: 200, body: { accountKeys: rows.map(presentAccountKey), nextCursor } };
  },
});
