import { z } from 'zod';
import { getOperation, isSettled } from '../../../instances/operations.ts';
import { presentOperation } from '../../present/operations.ts';
import { defineRoute } from '../../route.ts';
import { operationEventSchema } from '../../schemas/operations.ts';
import { textOf } from '../../schemas/text.ts';
import { personScopeOf } from '../../scope.ts';

export const operationEventsRoute = defineRoute({
  method: 'get',
  path: '/api/v1/operations/:operationId/events',
  access: 'account',
  operationId: 'followOperation',
  summary: 'Follow an operation live, by server-sent events',
  description:
    'Sends `event: operation` with the operation as JSON at once and at each change, and `event: end` ' +
    'after the last. A stream that ends without it, e.g. after 15 minutes, may be opened again.',
  errors: ['not_found'],
  params: z.object({ operationId: textOf(64) }),
  answers: {
    200: {
      description: 'The events, until the operation has ended',
      schema: operationEventSchema,
      contentType: 'text/event-stream',
    },
  },
  async handle({ params, caller, request, services }) {
    const { orm, streams } = services;
    const { operationId } = params;
    let reader = caller;
    // What is not the caller's is refused before the stream begins.
    const { organizationId } = await getOperation(orm, reader, operationId);
    const stream = streams.open(
      { scope: personScopeOf(caller), organizationId },
      {
        event: 'operation',
        async read() {
          const operation = await getOperation(orm, reader, operationId);
          return { state: presentOperation(operation), isLast: isSettled(operation) };
        },
        async recheck() {
          reader = await request.authenticateAgain();
        },
      },
    );
    return { status: 200, headers: { 'X-Accel-Buffering': 'no' }, stream };
  },
});
