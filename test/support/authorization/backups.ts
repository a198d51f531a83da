import { fakeRdb } from '../vault.ts';
import { type Row, statusesFrom } from './row.ts';

const instances = '/api/v1/instances';
const backups = '/api/v1/backups';

export const backupRows: Record<string, Row> = {
  'post /api/v1/instances/:instanceId/backups': {
    path: ({ runningInstanceId }) => `${instances}/${runningInstanceId}/backups`,
    statuses: statusesFrom('developer', 202),
  },
  'get /api/v1/instances/:instanceId/backups': {
    path: ({ runningInstanceId }) => `${instances}/${runningInstanceId}/backups`,
    statuses: statusesFrom('viewer', 200),
  },
  'post /api/v1/instances/:instanceId/backups/import': {
    path: ({ runningInstanceId }) => `${instances}/${runningInstanceId}/backups/import`,
    body: () => fakeRdb(),
    headers: { 'Content-Type': 'application/octet-stream' },
    statuses: statusesFrom('developer', 202),
  },
  'post /api/v1/instances/:instanceId/restore': {
    path: ({ runningInstanceId }) => `${instances}/${runningInstanceId}/restore`,
    body: ({ backupId }) => ({ backupId }),
    statuses: statusesFrom('developer', 202),
  },
  'get /api/v1/backups': {
    path: ({ organizationId }) => `${backups}?organizationId=${organizationId}`,
    statuses: statusesFrom('viewer', 200),
  },
  'get /api/v1/backups/:backupId': {
    path: ({ backupId }) => `${backups}/${backupId}`,
    statuses: statusesFrom('viewer', 200),
  },
  'delete /api/v1/backups/:backupId': {
    path: ({ backupId }) => `${backups}/${backupId}`,
    statuses: statusesFrom('developer', 204),
  },
  // All data of an instance leave by it. A failed one has none: that is said only to who might have it.
  'get /api/v1/backups/:backupId/download': {
    path: ({ failedBackupId }) => `${backups}/${failedBackupId}/download`,
    statuses: statusesFrom('admin', 409),
  },
};
