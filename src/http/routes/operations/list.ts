import { z } from 'zod';
import { listOperations } from '../../../instances/operations.ts';
import { presentOperation } from '../../present/operations.ts';
import { defineRoute } from '../../route.ts';
import { listOf, nextCursor, pageQueryFields } from '../../schemas/common.ts';
import { instanceParams } from '../../schemas/instances.ts';
import { operationSchema, operationStatus } from '../../schemas/operations.ts';

export const listOperationsRoute = defineRoute({
  method: 'get',
  path: '/api/v1/instances/:instanceId/operations',
  access: 'account',
  operationId: 'listOperations',
  summary: "List an instance's operations, newest first",
  errors: ['not_found'],
  params: instanceParams,
  query: z.strictObject({
    status: listOf(operationStatus)
      .optional()
      .meta({ description: 'Only those with one of these; repeated or separated by commas.' }),
    ...pageQueryFields,
  }),
  answers: {
    200: {
      description: 'The operations',
      schema: z.object({ operations: z.array(operationSchema), nextCursor }),
    },
  },
  async handle({ params, query, caller, services }) {
    const { status, ...page } = query;
    const { rows, nextCursor } = await listOperations(services.orm, caller, params.instanceId, {
      statuses: status,
      page,
    });
    return { status: 200, body: { operations: rows.map(presentOperation), nextCursor } };
  },
});
