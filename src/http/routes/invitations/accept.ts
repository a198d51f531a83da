import { z } from 'zod';
import { acceptInvitation } from '../../../accounts/invitations.ts';
import { presentOrganization } from '../../present/accounts.ts';
import { defineRoute } from '../../route.ts';
import { acceptanceSchema, organizationSchema, roleSchema } from '../../schemas/accounts.ts';

export const acceptRoute = defineRoute({
  method: 'post',
  path: '/api/v1/invitations/accept',
  access: 'person',
  operationId: 'acceptInvitation',
  summary: 'Accept an invitation',
  description: 'Who is a member already keeps their role, and the invitation stays open.',
  action: 'invitation.accept',
  errors: ['invitation_invalid', 'quota_exceeded'],
  body: acceptanceSchema,
  answers: {
    200: {
      description: 'The organization, and the role in it',
      schema: z.object({ organization: organizationSchema, role: roleSchema }),
    },
  },
  async handle({ body, caller, services }) {
    const own = await acceptInvitation(services, caller, body.secret);
    return { status: 200, body: { organization: presentOrganization(own), role: own.role } };
  },
});
