import { z } from 'zod';
import { listInstances } from '../../../instances/read-instances.ts';
import { presentInstance } from '../../present.ts';
import { defineRoute } from '../../route.ts';
import { instanceSchema } from '../../schemas.ts';

export const listRoute = defineRoute({
  method: 'get',
  path: '/api/v1/instances',
  access: 'account',
  summary: "List an organization's instances",
  query: z.strictObject({ organizationId: z.string().max(64) }),
  answers: {
    200: { description: 'The instances', schema: z.object({ instances: z.array(instanceSchema) }) },
  },
  async handle({ query, caller, services }) {
    const instances = await listInstances(services.orm, caller, query.organizationId);
    return {
      status: 200,
      body: { instances: instances.map((instance) => presentInstance(services, instance)) },
    };
  },
});
