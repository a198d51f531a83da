import { type Row, statusesFrom } from './row.ts';

export const metricRows: Record<string, Row> = {
  'get /api/v1/instances/:instanceId/metrics': {
    path: ({ runningInstanceId }) => `/api/v1/instances/${runningInstanceId}/metrics`,
    statuses: statusesFrom('viewer', 200),
  },
};
