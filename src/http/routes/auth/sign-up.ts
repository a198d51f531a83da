import { z } from 'zod';
import { signUp } from '../../../accounts/sign-up.ts';
import { beginSessionCookie, refuseForeignSite } from '../../authenticate-request.ts';
import { presentOrganization, presentPerson } from '../../present/accounts.ts';
import { defineRoute } from '../../route.ts';
import { newPersonSchema, organizationSchema, personSchema } from '../../schemas/accounts.ts';

export const signUpRoute = defineRoute({
  method: 'post',
  path: '/api/v1/auth/sign-up',
  access: 'public',
  operationId: 'signUp',
  summary: 'Make an account, and log in',
  description:
    'Makes an organization on the plan `free` too, unless an invitation is given: then the person ' +
    'joins its organization. The operator may have closed sign-up, or left it to invitations.',
  action: 'person.sign-up',
  errors: [
    'session_refused',
    'sign_up_closed',
    'email_taken',
    'invitation_invalid',
    'quota_exceeded',
  ],
  body: newPersonSchema,
  answers: {
    201: {
      description: 'The person, with a session, and their organization',
      headers: ['Set-Cookie'],
      schema: z.object({ user: personSchema, organization: organizationSchema }),
    },
  },
  async handle({ body, request, services }) {
    refuseForeignSite(request.site);
    const { user, own, sessionSecret } = await signUp(services, request.origin, {
      ...body,
      organizationName: body.organizationName,
      invitation: body.invitation,
    });
    return {
      status: 201,
      headers: beginSessionCookie(sessionSecret),
      body: { user: presentPerson(user), organization: presentOrganization(own) },
    };
  },
});
