import { type Row, statusesFrom } from './row.ts';

export const operationRows: Record<string, Row> = {
  'get /api/v1/instances/:instanceId/operations': {
    path: ({ instanceId }) => `/api/v1/instances/${instanceId}/operations`,
    statuses: statusesFrom('viewer', 200),
  },
  'get /api/v1/operations/:operationId': {
    path: ({ operationId }) => `/api/v1/operations/${operationId}`,
    statuses: statusesFrom('viewer', 200),
  },
  'get /api/v1/operations/:operationId/events': {
    path: ({ operationId }) => `/api/v1/operations/${operationId}/events`,
    statuses: statusesFrom('viewer', 200),
  },
};
