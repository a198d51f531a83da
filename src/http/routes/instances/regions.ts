import { z } from 'zod';
import { listRegions } from '../../../instances/regions.ts';
import { defineRoute } from '../../route.ts';
import { regionSchema } from '../../schemas/instances.ts';

export const regionsRoute = defineRoute({
  method: 'get',
  path: '/api/v1/instances/regions',
  access: 'public',
  operationId: 'listRegions',
  summary: 'List the regions',
  answers: {
    200: { description: 'The regions', schema: z.object({ regions: z.array(regionSchema) }) },
  },
  async handle({ services }) {
    const regions = listRegions(services.config).map(({ region, regionName, flag, available }) => ({
      region,
      regionName,
      flag,
      available,
    }));
    return { status: 200, body: { regions } };
  },
});
