import { z } from 'zod';
import { restoreInstance } from '../../../backups/restore-instance.ts';
import { presentInstance } from '../../present/instances.ts';
import { presentOperation } from '../../present/operations.ts';
import { defineRoute } from '../../route.ts';
import { backupId, instanceParams, instanceSchema } from '../../schemas/instances.ts';
import { operationSchema } from '../../schemas/operations.ts';

export const restoreRoute = defineRoute({
  method: 'post',
  path: '/api/v1/instances/:instanceId/restore',
  access: 'account',
  operationId: 'restoreInstance',
  summary: "Replace an instance's data by those of a backup",
  description:
    'Keys, settings and the connection string stay; connections drop, and what was written since the ' +
    'backup is gone. The backup is loaded by a Redis of its own first: where that fails, nothing changes.',
  action: 'instance.restore',
  errors: ['state_conflict', 'backup_unusable', 'too_many_operations'],
  params: instanceParams,
  body: z.strictObject({ backupId }).meta({ id: 'Restore' }),
  answers: {
    202: {
      description: 'Wanted; the operation says how far it is',
      headers: ['Location'],
      schema: z.object({ instance: instanceSchema, operation: operationSchema }),
    },
  },
  async handle({ params, body, caller, services }) {
    const { instanceId } = params;
    const restoring = await restoreInstance(services, caller, instanceId, body.backupId);
    return {
      status: 202,
      headers: { Location: `/api/v1/operations/${restoring.operation.id}` },
      body: {
        instance: presentInstance(services, restoring.instance),
        operation: presentOperation(restoring.operation),
      },
    };
  },
});
