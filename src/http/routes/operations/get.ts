import { z } from 'zod';
import { getOperation } from '../../../instances/operations.ts';
import { presentOperation } from '../../present.ts';
import { defineRoute } from '../../route.ts';
import { operationSchema } from '../../schemas.ts';

export const getOperationRoute = defineRoute({
  method: 'get',
  path: '/api/v1/operations/:operationId',
  access: 'account',
  summary: 'Follow an operation',
  params: z.object({ operationId: z.string().max(64) }),
  answers: {
    200: { description: 'The operation', schema: z.object({ operation: operationSchema }) },
  },
  async handle({ params, caller, services }) {
    const operation = await getOperation(services.orm, caller, params.operationId);
    return { status: 200, body: { operation: presentOperation(operation) } };
  },
});
