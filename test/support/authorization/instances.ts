import { newInstance } from '../api.ts';
import { type Row, statusesForAll, statusesFrom } from './row.ts';

const instances = '/api/v1/instances';

export const instanceRows: Record<string, Row> = {
  'get /healthz': { path: () => '/healthz', statuses: statusesForAll(200) },
  'get /readyz': { path: () => '/readyz', statuses: statusesForAll(200) },
  'get /api/v1/instances/regions': {
    path: () => `${instances}/regions`,
    statuses: statusesForAll(200),
  },
  'post /api/v1/instances': {
    path: () => instances,
    body: (things) => newInstance(things),
    statuses: statusesFrom('developer', 201),
  },
  'get /api/v1/instances': {
    path: ({ organizationId }) => `${instances}?organizationId=${organizationId}`,
    statuses: statusesFrom('viewer', 200),
  },
  'get /api/v1/instances/:instanceId': {
    path: ({ instanceId }) => `${instances}/${instanceId}`,
    statuses: statusesFrom('viewer', 200),
  },
  'patch /api/v1/instances/:instanceId': {
    path: ({ runningInstanceId }) => `${instances}/${runningInstanceId}`,
    body: () => ({ maxMemory: 128 * 1024 * 1024 }),
    statuses: statusesFrom('developer', 202),
  },
  'post /api/v1/instances/:instanceId/preview': {
    path: ({ runningInstanceId }) => `${instances}/${runningInstanceId}/preview`,
    body: () => ({ maxMemory: 128 * 1024 * 1024 }),
    statuses: statusesFrom('developer', 200),
  },
  'delete /api/v1/instances/:instanceId': {
    path: ({ instanceId }) => `${instances}/${instanceId}`,
    statuses: statusesFrom('developer', 202),
  },
  'post /api/v1/instances/:instanceId/retry': {
    path: ({ instanceId }) => `${instances}/${instanceId}/retry`,
    statuses: statusesFrom('developer', 202),
  },
  'post /api/v1/instances/:instanceId/upgrade': {
    path: ({ runningInstanceId }) => `${instances}/${runningInstanceId}/upgrade`,
    statuses: statusesFrom('developer', 202),
  },
  'post /api/v1/instances/:instanceId/restart': {
    path: ({ runningInstanceId }) => `${instances}/${runningInstanceId}/restart`,
    statuses: statusesFrom('developer', 202),
  },
  'post /api/v1/instances/:instanceId/stop': {
    path: ({ runningInstanceId }) => `${instances}/${runningInstanceId}/stop`,
    statuses: statusesFrom('developer', 202),
  },
  'post /api/v1/instances/:instanceId/start': {
    path: ({ stoppedInstanceId }) => `${instances}/${stoppedInstanceId}/start`,
    statuses: statusesFrom('developer', 202),
  },
};
