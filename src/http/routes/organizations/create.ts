import { z } from 'zod';
import { createOrganization } from '../../../accounts/organizations.ts';
import { presentOrganization } from '../../present/accounts.ts';
import { defineRoute } from '../../route.ts';
import { newOrganizationSchema, organizationSchema } from '../../schemas/accounts.ts';

export const createRoute = defineRoute({
  method: 'post',
  path: '/api/v1/organizations',
  access: 'person',
  operationId: 'createOrganization',
  summary: 'Make an organization with the caller as its owner',
  description: 'On the plan `free`. A person owns ten at most.',
  action: 'organization.create',
  errors: ['quota_exceeded'],
  body: newOrganizationSchema,
  answers: {
    201: {
      description: 'The organization',
      headers: ['Location'],
      schema: z.object({ organization: organizationSchema }),
    },
  },
  async handle({ body, caller, services }) {
    const own = await createOrganization(services, caller, body);
    return {
      status: 201,
      headers: { Location: `/api/v1/organizations/${own.organization.id}` },
      body: { organization: presentOrganization(own) },
    };
  },
});
