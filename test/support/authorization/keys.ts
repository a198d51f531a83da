import { type Row, statusesFrom } from './row.ts';

const keys = '/api/v1/api-keys';

export const keyRows: Record<string, Row> = {
  'post /api/v1/instances/:instanceId/api-keys': {
    path: ({ runningInstanceId }) => `/api/v1/instances/${runningInstanceId}/api-keys`,
    body: () => ({ name: 'a key' }),
    statuses: statusesFrom('developer', 201),
  },
  'get /api/v1/instances/:instanceId/api-keys': {
    path: ({ runningInstanceId }) => `/api/v1/instances/${runningInstanceId}/api-keys`,
    statuses: statusesFrom('viewer', 200),
  },
  'put /api/v1/instances/:instanceId/api-keys/:keyId': {
    path: ({ runningInstanceId, keyId }) =>
      `/api/v1/instances/${runningInstanceId}/api-keys/${keyId}`,
    statuses: statusesFrom('developer', 200),
  },
  'delete /api/v1/instances/:instanceId/api-keys/:keyId': {
    path: ({ runningInstanceId, boundKeyId }) =>
      `/api/v1/instances/${runningInstanceId}/api-keys/${boundKeyId}`,
    statuses: statusesFrom('developer', 200),
  },
  'post /api/v1/api-keys': {
    path: () => keys,
    body: ({ organizationId, runningInstanceId }) => {
      return { organizationId, name: 'a key', instanceIds: [runningInstanceId] };
    },
    statuses: statusesFrom('developer', 201),
  },
  'get /api/v1/api-keys': {
    path: ({ organizationId }) => `${keys}?organizationId=${organizationId}`,
    statuses: statusesFrom('viewer', 200),
  },
  'get /api/v1/api-keys/:keyId': {
    path: ({ keyId }) => `${keys}/${keyId}`,
    statuses: statusesFrom('viewer', 200),
  },
  'patch /api/v1/api-keys/:keyId': {
    path: ({ boundKeyId }) => `${keys}/${boundKeyId}`,
    body: () => ({ permissions: ['read'] }),
    statuses: statusesFrom('developer', 200),
  },
  'delete /api/v1/api-keys/:keyId': {
    path: ({ boundKeyId }) => `${keys}/${boundKeyId}`,
    statuses: statusesFrom('developer', 200),
  },
};
