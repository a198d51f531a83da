import { z } from 'zod';
import { findOwnBackup } from '../../../backups/read-backups.ts';
import type { EntityManager } from '../../../store/database.ts';
import { presentBackup } from '../../present/backups.ts';
import { defineRoute } from '../../route.ts';
import { backupParams, backupSchema } from '../../schemas/backups.ts';

export const getBackupRoute = defineRoute({
  method: 'get',
  path: '/api/v1/backups/:backupId',
  access: 'account',
  operationId: 'getBackup',
  summary: 'Show a backup',
  params: backupParams,
  answers: { 200: { description: 'The backup', schema: z.object({ backup: backupSchema }) } },
  async handle({ params, caller, services }) {
    const em = services.orm.em.fork() as EntityManager;
    const backup = await findOwnBackup(em, caller, params.backupId, 'viewer');
    return { status: 200, body: { backup: presentBackup(backup) } };
  },
});
