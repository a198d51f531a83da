import { z } from 'zod';
import { getInstance } from '../../../instances/read-instances.ts';
import { instanceEtag } from '../../../instances/update-instance.ts';
import { presentInstance } from '../../present/instances.ts';
import { presentKey } from '../../present/keys.ts';
import { defineRoute } from '../../route.ts';
import { instanceParams, instanceWithKeysSchema } from '../../schemas/instances.ts';

export const getRoute = defineRoute({
  method: 'get',
  path: '/api/v1/instances/:instanceId',
  access: 'account',
  operationId: 'getInstance',
  summary: 'Get an instance with its keys',
  params: instanceParams,
  answers: {
    200: {
      description: 'The instance',
      headers: ['ETag'],
      schema: z.object({ instance: instanceWithKeysSchema }),
    },
  },
  async handle({ params, caller, services }) {
    const { instance, keys } = await getInstance(services.orm, caller, params.instanceId);
    return {
      status: 200,
      headers: { ETag: instanceEtag(instance) },
      body: {
        instance: { ...presentInstance(services, instance), apiKeys: keys.map(presentKey) },
      },
    };
  },
});
