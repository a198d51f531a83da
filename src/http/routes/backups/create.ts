import { z } from 'zod';
import { createBackup } from '../../../backups/create-backup.ts';
import { presentBackup } from '../../present/backups.ts';
import { defineRoute } from '../../route.ts';
import { backupSchema } from '../../schemas/backups.ts';
import { instanceParams } from '../../schemas/instances.ts';

export const createBackupRoute = defineRoute({
  method: 'post',
  path: '/api/v1/instances/:instanceId/backups',
  access: 'account',
  operationId: 'createBackup',
  summary: 'Take a backup; Redis goes on meanwhile',
  action: 'backup.create',
  errors: ['state_conflict', 'quota_exceeded'],
  params: instanceParams,
  answers: {
    202: {
      description: 'QUEUED; AVAILABLE once a Redis of its own has loaded it',
      headers: ['Location'],
      schema: z.object({ backup: backupSchema }),
    },
  },
  async handle({ params, caller, services }) {
    const backup = await createBackup(services, caller, params.instanceId);
    return {
      status: 202,
      headers: { Location: `/api/v1/backups/${backup.id}` },
      body: { backup: presentBackup(backup) },
    };
  },
});
