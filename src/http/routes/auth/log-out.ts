import { z } from 'zod';
import { logOut } from '../../../accounts/log-in.ts';
import { endSessionCookie, requireOwnSite } from '../../authenticate-request.ts';
import { defineRoute } from '../../route.ts';

export const logOutRoute = defineRoute({
  method: 'post',
  path: '/api/v1/auth/log-out',
  access: 'public',
  operationId: 'logOut',
  summary: 'Log out: ends the session',
  description: 'May be sent twice as it is; an `Idempotency-Key` is ignored.',
  action: 'session.log-out',
  isIdempotent: true,
  errors: ['session_refused'],
  answers: {
    204: {
      description: 'The session has ended, if there was one',
      headers: ['Set-Cookie'],
      schema: z.undefined(),
    },
  },
  async handle({ request, services }) {
    if (request.sessionSecret !== undefined) requireOwnSite(request.site);
    await logOut(services, request.origin, request.sessionSecret);
    return { status: 204, headers: endSessionCookie(), body: undefined };
  },
});
