import { z } from 'zod';
import { organizationEtag, renameOrganization } from '../../../accounts/organizations.ts';
import { presentOrganizationDetails } from '../../present/accounts.ts';
import { defineRoute } from '../../route.ts';
import {
  organizationChangesSchema,
  organizationDetailsSchema,
  organizationParams,
} from '../../schemas/accounts.ts';

export const updateRoute = defineRoute({
  method: 'patch',
  path: '/api/v1/organizations/:organizationId',
  access: 'account',
  operationId: 'updateOrganization',
  summary: 'Rename an organization',
  action: 'organization.update',
  errors: ['changed_meanwhile'],
  params: organizationParams,
  body: organizationChangesSchema,
  answers: {
    200: {
      description: 'Renamed',
      headers: ['ETag'],
      schema: z.object({ organization: organizationDetailsSchema }),
    },
  },
  async handle({ params, body, caller, request, services }) {
    const change = { name: body.name, ifMatch: request.ifMatch };
    const { organizationId } = params;
    const details = await renameOrganization(services, caller, organizationId, change);
    return {
      status: 200,
      headers: { ETag: organizationEtag(details.organization) },
      body: { organization: presentOrganizationDetails(details) },
    };
  },
});
