import { z } from 'zod';
import { retryInstance } from '../../../instances/retry-instance.ts';
import { presentInstance, presentOperation } from '../../present.ts';
import { defineRoute } from '../../route.ts';
import { instanceParams, instanceSchema, operationSchema } from '../../schemas.ts';

export const retryRoute = defineRoute({
  method: 'post',
  path: '/api/v1/instances/:instanceId/retry',
  access: 'account',
  summary: 'Try a failed instance again',
  params: instanceParams,
  answers: {
    202: {
      description: 'The instance, PROVISIONING again',
      schema: z.object({ instance: instanceSchema, operation: operationSchema }),
    },
  },
  async handle({ params, caller, services }) {
    const { instance, operation } = await retryInstance(services, caller, params.instanceId);
    return {
      status: 202,
      headers: { Location: `/api/v1/operations/${operation.id}` },
      body: {
        instance: presentInstance(services, instance),
        operation: presentOperation(operation),
      },
    };
  },
});
