import { z } from 'zod';
import { getInstance } from '../../../instances/read-instances.ts';
import { presentInstance, presentKey } from '../../present.ts';
import { defineRoute } from '../../route.ts';
import { instanceParams, instanceWithKeysSchema } from '../../schemas.ts';

export const getRoute = defineRoute({
  method: 'get',
  path: '/api/v1/instances/:instanceId',
  access: 'account',
  summary: 'Get an instance with its keys',
  params: instanceParams,
  answers: {
    200: { description: 'The instance', schema: z.object({ instance: instanceWithKeysSchema }) },
  },
  async handle({ params, caller, services }) {
    const { instance, keys } = await getInstance(services.orm, caller, params.instanceId);
    return {
      status: 200,
      body: {
        instance: { ...presentInstance(services, instance), apiKeys: keys.map(presentKey) },
      },
    };
  },
});
