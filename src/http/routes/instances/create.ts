import { z } from 'zod';
import { createInstance } from '../../../instances/create-instance.ts';
import { toDate } from '../../../lib/end-time.ts';
import { presentInstance } from '../../present/instances.ts';
import { presentCreatedKey } from '../../present/keys.ts';
import { presentOperation } from '../../present/operations.ts';
import { defineRoute } from '../../route.ts';
import { createdInstanceSchema, newInstanceSchema } from '../../schemas/instances.ts';
import { createdKeySchema } from '../../schemas/keys.ts';
import { operationSchema } from '../../schemas/operations.ts';

export const createRoute = defineRoute({
  method: 'post',
  path: '/api/v1/instances',
  access: 'account',
  operationId: 'createInstance',
  summary: 'Create an instance',
  action: 'instance.create',
  errors: [
    'quota_exceeded',
    'plan_limit',
    'too_many_operations',
    'region_full',
    'no_free_port',
    'backup_unusable',
  ],
  body: newInstanceSchema,
  answers: {
    201: {
      description: 'The instance, PROVISIONING. The key and password are shown only here.',
      headers: ['Location'],
      schema: z.object({
        instance: createdInstanceSchema,
        createdDefaultKey: createdKeySchema.optional(),
        operation: operationSchema,
      }),
    },
  },
  async handle({ body, caller, services }) {
    const { instance, operation, defaultKey } = await createInstance(services, caller, {
      ...body,
      expiresAt: toDate(body.expiresAt),
    });
    return {
      status: 201,
      headers: { Location: `/api/v1/instances/${instance.id}` },
      body: {
        instance: {
          ...presentInstance(services, instance),
          password: defaultKey?.secret ?? null,
        },
        ...(defaultKey && {
          createdDefaultKey: presentCreatedKey(defaultKey.key, defaultKey.secret),
        }),
        operation: presentOperation(operation),
      },
    };
  },
});
