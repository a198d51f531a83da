import { z } from 'zod';
import { deleteOrganization } from '../../../accounts/organizations.ts';
import { defineRoute } from '../../route.ts';
import { organizationParams } from '../../schemas/accounts.ts';

export const deleteRoute = defineRoute({
  method: 'delete',
  path: '/api/v1/organizations/:organizationId',
  access: 'account',
  operationId: 'deleteOrganization',
  summary: 'Delete an organization with its members, invitations and keys',
  description: 'Its instances have to be deleted before.',
  action: 'organization.delete',
  errors: ['organization_not_empty'],
  params: organizationParams,
  answers: { 204: { description: 'Deleted', schema: z.undefined() } },
  async handle({ params, caller, services }) {
    await deleteOrganization(services, caller, params.organizationId);
    return { status: 204, body: undefined };
  },
});
