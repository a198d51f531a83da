import { z } from 'zod';
import { changePassword } from '../../../accounts/log-in.ts';
import { defineRoute } from '../../route.ts';
import { passwordChangeSchema } from '../../schemas/accounts.ts';

export const passwordRoute = defineRoute({
  method: 'post',
  path: '/api/v1/auth/password',
  access: 'person',
  operationId: 'changePassword',
  summary: "Change one's password; ends the other sessions",
  action: 'person.change-password',
  errors: ['wrong_credentials'],
  body: passwordChangeSchema,
  answers: { 204: { description: 'Changed', schema: z.undefined() } },
  async handle({ body, caller, request, services }) {
    await changePassword(services, caller, { ...body, keptSecret: request.sessionSecret });
    return { status: 204, body: undefined };
  },
});
