import { z } from 'zod';
import { upgradeInstance } from '../../../instances/upgrade-instance.ts';
import { presentInstance } from '../../present/instances.ts';
import { presentOperation } from '../../present/operations.ts';
import { defineRoute } from '../../route.ts';
import { instanceParams, instanceSchema } from '../../schemas/instances.ts';
import { operationSchema } from '../../schemas/operations.ts';

export const upgradeRoute = defineRoute({
  method: 'post',
  path: '/api/v1/instances/:instanceId/upgrade',
  access: 'account',
  operationId: 'upgradeInstance',
  summary: 'Take the Redis image of today; without persistence the data is gone',
  action: 'instance.upgrade',
  errors: ['state_conflict', 'too_many_operations'],
  params: instanceParams,
  answers: {
    202: {
      description: 'Wanted; the operation says how far it is',
      headers: ['Location'],
      schema: z.object({
        instance: instanceSchema,
        operation: operationSchema,
        dataKept: z.boolean().meta({
          description: 'False where the instance keeps no data over the change of its container.',
        }),
      }),
    },
  },
  async handle({ params, caller, services }) {
    const { instance, operation } = await upgradeInstance(services, caller, params.instanceId);
    return {
      status: 202,
      headers: { Location: `/api/v1/operations/${operation.id}` },
      body: {
        instance: presentInstance(services, instance),
        operation: presentOperation(operation),
        dataKept: instance.persistence,
      },
    };
  },
});
