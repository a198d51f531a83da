import { z } from 'zod';
import { importBackup } from '../../../backups/import-backup.ts';
import { presentBackup } from '../../present/backups.ts';
import { defineRoute } from '../../route.ts';
import { backupSchema } from '../../schemas/backups.ts';
import { instanceParams } from '../../schemas/instances.ts';

export const importBackupRoute = defineRoute({
  method: 'post',
  path: '/api/v1/instances/:instanceId/backups/import',
  access: 'account',
  operationId: 'importBackup',
  summary: 'Bring an RDB file as a backup, to be restored like any other',
  action: 'backup.import',
  errors: ['quota_exceeded', 'backup_invalid', 'backup_store_unreachable', 'state_conflict'],
  // The body is not kept to compare it; the checksum tells whether a file is there already.
  isIdempotent: true,
  params: instanceParams,
  upload: {
    contentType: 'application/octet-stream',
    description: 'An RDB file, at most a little larger than maxMemory.',
  },
  answers: {
    202: {
      description: 'QUEUED; AVAILABLE once a Redis like that of the instance has loaded it',
      headers: ['Location'],
      schema: z.object({ backup: backupSchema }),
    },
  },
  async handle({ params, caller, request, services }) {
    const { authenticateAgain } = request;
    const upload = { rdb: request.upload(), authenticateAgain };
    const backup = await importBackup(services, caller, params.instanceId, upload);
    return {
      status: 202,
      headers: { Location: `/api/v1/backups/${backup.id}` },
      body: { backup: presentBackup(backup) },
    };
  },
});
