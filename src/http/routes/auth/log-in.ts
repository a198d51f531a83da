import { z } from 'zod';
import { logIn } from '../../../accounts/log-in.ts';
import { beginSessionCookie, refuseForeignSite } from '../../authenticate-request.ts';
import { presentPersonView } from '../../present/accounts.ts';
import { defineRoute } from '../../route.ts';
import { credentialsSchema, organizationSchema, personSchema } from '../../schemas/accounts.ts';

export const logInRoute = defineRoute({
  method: 'post',
  path: '/api/v1/auth/log-in',
  access: 'public',
  operationId: 'logIn',
  summary: 'Log in: begins a session, kept in a cookie',
  description:
    'After five wrong tries the next ones are held back for as long as `Retry-After` says.',
  action: 'session.log-in',
  errors: ['session_refused', 'wrong_credentials'],
  body: credentialsSchema,
  answers: {
    200: {
      description: 'The person, with a session, and their organizations',
      headers: ['Set-Cookie'],
      schema: z.object({ user: personSchema, organizations: z.array(organizationSchema) }),
    },
  },
  async handle({ body, request, services }) {
    refuseForeignSite(request.site);
    const { sessionSecret, ...person } = await logIn(services, request.origin, body);
    return {
      status: 200,
      headers: beginSessionCookie(sessionSecret),
      body: presentPersonView(person),
    };
  },
});
