import { z } from 'zod';
import { type LabelFilter, listInstances } from '../../../instances/read-instances.ts';
import { presentInstance } from '../../present/instances.ts';
import { defineRoute } from '../../route.ts';
import { nextCursor } from '../../schemas/common.ts';
import { instanceFilterSchema, instanceSchema } from '../../schemas/instances.ts';

export const listRoute = defineRoute({
  method: 'get',
  path: '/api/v1/instances',
  access: 'account',
  operationId: 'listInstances',
  summary: "List an organization's instances",
  description: 'Live instances, oldest first. Everything that is asked for must hold.',
  errors: ['not_found'],
  query: instanceFilterSchema,
  answers: {
    200: {
      description: 'The instances',
      schema: z.object({ instances: z.array(instanceSchema), nextCursor }),
    },
  },
  async handle({ query, caller, services }) {
    const { organizationId, status: statuses, region, name, label, ...page } = query;
    const filter = { organizationId, statuses, region, name, labels: label?.map(readLabel) };
    const { rows, nextCursor } = await listInstances(services.orm, caller, filter, page);
    return {
      status: 200,
      body: { instances: rows.map((row) => presentInstance(services, row)), nextCursor },
    };
  },
});

function readLabel(text: string): LabelFilter {
  const at = text.indexOf(':');
  return at < 0
    ? { name: text, value: undefined }
    : { name: text.slice(0, at), value: text.slice(at + 1) };
}
