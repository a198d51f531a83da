import { z } from 'zod';
import { defineRoute } from '../../route.ts';

export const healthzRoute = defineRoute({
  method: 'get',
  path: '/healthz',
  access: 'public',
  operationId: 'checkHealth',
  summary: 'Whether the process is alive',
  answers: { 200: { description: 'It is', schema: z.object({ status: z.literal('ok') }) } },
  async handle() {
    return { status: 200, body: { status: 'ok' as const } };
  },
});
