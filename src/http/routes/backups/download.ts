import { z } from 'zod';
import { openDownload } from '../../../backups/download-backup.ts';
import { defineRoute } from '../../route.ts';
import { backupParams } from '../../schemas/backups.ts';

export const downloadBackupRoute = defineRoute({
  method: 'get',
  path: '/api/v1/backups/:backupId/download',
  access: 'account',
  operationId: 'downloadBackup',
  summary: 'Download a backup as an RDB file',
  description:
    'For admins: all data of the instance leave by it. The file is checked as it is sent; where it is not ' +
    'as it was stored, the connection is cut before the end that `Content-Length` promises.',
  action: 'backup.download',
  errors: ['backup_unusable', 'backup_invalid', 'backup_store_unreachable'],
  params: backupParams,
  answers: {
    200: {
      description: 'The RDB file',
      headers: ['ETag'],
      schema: z.string().meta({ example: 'REDIS…' }),
      contentType: 'application/octet-stream',
    },
  },
  async handle({ params, caller, services }) {
    const { backup, rdb } = await openDownload(services, caller, params.backupId);
    const digest = Buffer.from(backup.sha256 ?? '', 'hex').toString('base64');
    return {
      status: 200,
      headers: {
        'Content-Length': String(backup.sizeBytes),
        'Content-Disposition': `attachment; filename="${backup.id}.rdb"`,
        'Cache-Control': 'no-store',
        ETag: `"${backup.sha256}"`,
        'Repr-Digest': `sha-256=:${digest}:`,
      },
      stream: rdb,
    };
  },
});
