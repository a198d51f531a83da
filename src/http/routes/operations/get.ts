import { z } from 'zod';
import { getOperation } from '../../../instances/operations.ts';
import { presentOperation } from '../../present/operations.ts';
import { defineRoute } from '../../route.ts';
import { operationSchema } from '../../schemas/operations.ts';
import { textOf } from '../../schemas/text.ts';

export const getOperationRoute = defineRoute({
  method: 'get',
  path: '/api/v1/operations/:operationId',
  access: 'account',
  operationId: 'getOperation',
  summary: 'Get an operation: how far it is',
  errors: ['not_found'],
  params: z.object({ operationId: textOf(64) }),
  answers: {
    200: { description: 'The operation', schema: z.object({ operation: operationSchema }) },
  },
  async handle({ params, caller, services }) {
    const operation = await getOperation(services.orm, caller, params.operationId);
    return { status: 200, body: { operation: presentOperation(operation) } };
  },
});
