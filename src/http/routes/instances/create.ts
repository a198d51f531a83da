import { z } from 'zod';
import { createInstance } from '../../../instances/create-instance.ts';
import { presentCreatedKey, presentInstance, presentOperation } from '../../present.ts';
import { defineRoute } from '../../route.ts';
import {
  createdInstanceSchema,
  createdKeySchema,
  newInstanceSchema,
  operationSchema,
} from '../../schemas.ts';

export const createRoute = defineRoute({
  method: 'post',
  path: '/api/v1/instances',
  access: 'account',
  summary: 'Create an instance',
  body: newInstanceSchema,
  answers: {
    201: {
      description: 'The instance, PROVISIONING. The key and password are shown only here.',
      schema: z.object({
        instance: createdInstanceSchema,
        createdDefaultKey: createdKeySchema.optional(),
        operation: operationSchema,
      }),
    },
  },
  async handle({ body, caller, services }) {
    const { instance, operation, defaultKey } = await createInstance(services, caller, body);
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
