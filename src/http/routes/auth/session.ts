import { z } from 'zod';
import { requirePerson } from '../../../accounts/caller.ts';
import { readPerson } from '../../../accounts/log-in.ts';
import { presentPersonView } from '../../present/accounts.ts';
import { defineRoute } from '../../route.ts';
import { organizationSchema, personSchema } from '../../schemas/accounts.ts';

export const sessionRoute = defineRoute({
  method: 'get',
  path: '/api/v1/auth/session',
  access: 'person',
  operationId: 'getSession',
  summary: 'Who is logged in',
  answers: {
    200: {
      description: 'The person and their organizations',
      schema: z.object({ user: personSchema, organizations: z.array(organizationSchema) }),
    },
  },
  async handle({ caller, services }) {
    const person = await readPerson(services.orm, requirePerson(caller).userId);
    return { status: 200, body: presentPersonView(person) };
  },
});
