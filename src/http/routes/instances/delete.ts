import { z } from 'zod';
import { deleteInstance } from '../../../instances/delete-instance.ts';
import { presentOperation } from '../../present.ts';
import { defineRoute } from '../../route.ts';
import { instanceParams, operationSchema, statusSchema } from '../../schemas.ts';

export const deleteRoute = defineRoute({
  method: 'delete',
  path: '/api/v1/instances/:instanceId',
  access: 'account',
  summary: 'Delete an instance with all its data',
  params: instanceParams,
  answers: {
    202: {
      description: 'Deletion has begun',
      schema: z.object({
        message: z.string(),
        instance: z.object({ id: z.string(), status: statusSchema }),
        operation: operationSchema,
      }),
    },
  },
  async handle({ params, caller, services }) {
    const { instance, operation } = await deleteInstance(services, caller, params.instanceId);
    return {
      status: 202,
      headers: { Location: `/api/v1/operations/${operation.id}` },
      body: {
        message: 'Instance deletion initiated',
        instance: { id: instance.id, status: 'DELETING' as const },
        operation: presentOperation(operation),
      },
    };
  },
});
