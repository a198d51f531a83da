import { z } from 'zod';
import { retryInstance } from '../../../instances/retry-instance.ts';
import { presentInstance } from '../../present/instances.ts';
import { presentOperation } from '../../present/operations.ts';
import { defineRoute } from '../../route.ts';
import { retrySchema } from '../../schemas/drift.ts';
import { instanceParams, instanceSchema } from '../../schemas/instances.ts';
import { operationSchema } from '../../schemas/operations.ts';

export const retryRoute = defineRoute({
  method: 'post',
  path: '/api/v1/instances/:instanceId/retry',
  access: 'account',
  operationId: 'retryInstance',
  summary: 'Try a failed instance again, or mend a DEGRADED one',
  action: 'instance.retry',
  errors: ['state_conflict', 'data_volume_missing', 'too_many_operations', 'no_free_port'],
  params: instanceParams,
  body: retrySchema,
  isBodyOptional: true,
  answers: {
    202: {
      description: 'The instance, worked on again',
      headers: ['Location'],
      schema: z.object({ instance: instanceSchema, operation: operationSchema }),
    },
  },
  async handle({ params, body, caller, services }) {
    const { instanceId } = params;
    const { instance, operation } = await retryInstance(services, caller, instanceId, body);
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
