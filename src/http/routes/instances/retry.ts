import { z } from 'zod';
import { retryInstance } from '../../../instances/retry-instance.ts';
import { presentInstance } from '../../present/instances.ts';
import { presentOperation } from '../../present/operations.ts';
import { defineRoute } from '../../route.ts';
import { instanceParams, instanceSchema } from '../../schemas/instances.ts';
import { operationSchema } from '../../schemas/operations.ts';

export const retryRoute = defineRoute({
  method: 'post',
  path: '/api/v1/instances/:instanceId/retry',
  access: 'account',
  operationId: 'retryInstance',
  summary: 'Try a failed instance again',
  action: 'instance.retry',
  errors: ['state_conflict', 'too_many_operations', 'no_free_port'],
  params: instanceParams,
  answers: {
    202: {
      description: 'The instance, PROVISIONING again',
      headers: ['Location'],
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
