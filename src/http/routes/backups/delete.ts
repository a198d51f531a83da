import { z } from 'zod';
import { deleteBackup } from '../../../backups/delete-backup.ts';
import { defineRoute } from '../../route.ts';
import { backupParams } from '../../schemas/backups.ts';

export const deleteBackupRoute = defineRoute({
  method: 'delete',
  path: '/api/v1/backups/:backupId',
  access: 'account',
  operationId: 'deleteBackup',
  summary: 'Delete a backup',
  action: 'backup.delete',
  errors: ['state_conflict'],
  params: backupParams,
  answers: { 204: { description: 'Deleted', schema: z.undefined() } },
  async handle({ params, caller, services }) {
    await deleteBackup(services, caller, params.backupId);
    return { status: 204, body: undefined };
  },
});
