import { z } from 'zod';
import { deleteInstance } from '../../../instances/delete-instance.ts';
import { presentOperation } from '../../present/operations.ts';
import { defineRoute } from '../../route.ts';
import { instanceParams, statusSchema } from '../../schemas/instances.ts';
import { operationSchema } from '../../schemas/operations.ts';

export const deleteRoute = defineRoute({
  method: 'delete',
  path: '/api/v1/instances/:instanceId',
  access: 'account',
  operationId: 'deleteInstance',
  summary: 'Delete an instance with all its data',
  action: 'instance.delete',
  errors: ['deletion_protected'],
  params: instanceParams,
  answers: {
    202: {
      description: 'Deletion has begun',
      headers: ['Location'],
      schema: z.object({
        message: z.string().meta({ example: 'Instance deletion initiated' }),
        instance: z.object({
          id: z.string().meta({ example: 'inst_abc123' }),
          status: statusSchema.meta({ example: 'DELETING' }),
        }),
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
