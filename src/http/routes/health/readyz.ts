import { z } from 'zod';
import { readReadiness } from '../../readiness.ts';
import { defineRoute } from '../../route.ts';

export const readyzRoute = defineRoute({
  method: 'get',
  path: '/readyz',
  access: 'public',
  operationId: 'checkReadiness',
  summary: 'Whether the service can do its work',
  answers: {
    200: { description: 'It can', schema: z.object({ status: z.enum(['ready', 'not ready']) }) },
    503: {
      description: 'The database or Docker does not answer',
      schema: z.object({ status: z.enum(['ready', 'not ready']) }),
    },
  },
  handle: ({ services }) => readReadiness(services),
});
