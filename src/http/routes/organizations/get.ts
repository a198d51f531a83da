import { z } from 'zod';
import { getOrganization, organizationEtag } from '../../../accounts/organizations.ts';
import { presentOrganizationDetails } from '../../present/accounts.ts';
import { defineRoute } from '../../route.ts';
import { organizationDetailsSchema, organizationParams } from '../../schemas/accounts.ts';

export const getRoute = defineRoute({
  method: 'get',
  path: '/api/v1/organizations/:organizationId',
  access: 'account',
  operationId: 'getOrganization',
  summary: 'Get an organization with the limits of its plan and what is used of them',
  params: organizationParams,
  answers: {
    200: {
      description: 'The organization',
      headers: ['ETag'],
      schema: z.object({ organization: organizationDetailsSchema }),
    },
  },
  async handle({ params, caller, services }) {
    const details = await getOrganization(services.orm, caller, params.organizationId);
    return {
      status: 200,
      headers: { ETag: organizationEtag(details.organization) },
      body: { organization: presentOrganizationDetails(details) },
    };
  },
});
