import { z } from 'zod';
import { instanceEtag, updateInstance } from '../../../instances/update-instance.ts';
import { presentInstance } from '../../present/instances.ts';
import { presentOperation } from '../../present/operations.ts';
import { defineRoute } from '../../route.ts';
import { instanceChangesSchema, instanceParams, instanceSchema } from '../../schemas/instances.ts';
import { operationSchema } from '../../schemas/operations.ts';
import { readChanges } from './read-changes.ts';

const answer = z.object({
  instance: instanceSchema,
  operation: operationSchema.nullable().meta({ description: 'null where nothing goes on.' }),
});

export const updateRoute = defineRoute({
  method: 'patch',
  path: '/api/v1/instances/:instanceId',
  access: 'account',
  operationId: 'updateInstance',
  summary: 'Change an instance; memory, eviction and persistence while it runs',
  action: 'instance.update',
  errors: [
    'changed_meanwhile',
    'state_conflict',
    'memory_in_use',
    'instance_unreachable',
    'quota_exceeded',
    'plan_limit',
    'too_many_operations',
    'region_full',
  ],
  params: instanceParams,
  body: instanceChangesSchema,
  answers: {
    200: { description: 'Changed', headers: ['ETag'], schema: answer },
    202: {
      description: 'Wanted; the operation says how far it is',
      headers: ['ETag', 'Location'],
      schema: answer,
    },
  },
  async handle({ params, body, caller, request, services }) {
    const { instance, operation } = await updateInstance(services, caller, params.instanceId, {
      changes: readChanges(body),
      ifMatch: request.ifMatch,
    });
    return {
      status: operation ? 202 : 200,
      headers: {
        ETag: instanceEtag(instance),
        ...(operation && { Location: `/api/v1/operations/${operation.id}` }),
      },
      body: {
        instance: presentInstance(services, instance),
        operation: operation ? presentOperation(operation) : null,
      },
    };
  },
});
