import { z } from 'zod';
import { planUpdate } from '../../../instances/update-instance.ts';
import { defineRoute } from '../../route.ts';
import {
  instanceChangesSchema,
  instanceParams,
  plannedChangeSchema,
} from '../../schemas/instances.ts';
import { readChanges } from './read-changes.ts';

export const previewRoute = defineRoute({
  method: 'post',
  path: '/api/v1/instances/:instanceId/preview',
  access: 'account',
  operationId: 'previewInstanceChanges',
  summary: 'Show what Pulumi would change for a PATCH, without doing it',
  action: 'instance.preview',
  errors: ['state_conflict', 'memory_in_use', 'instance_unreachable'],
  params: instanceParams,
  body: instanceChangesSchema,
  answers: {
    200: {
      description: 'The changes, resource by resource; none where all is as asked for',
      schema: z.object({ changes: z.array(plannedChangeSchema) }),
    },
  },
  async handle({ params, body, caller, services }) {
    const wanted = await planUpdate(services, caller, params.instanceId, readChanges(body));
    const changes = await services.previewer.preview(wanted);
    return { status: 200, body: { changes: [...changes] } };
  },
});
