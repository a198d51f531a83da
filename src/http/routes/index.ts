/** Every route of the control API. */
import type { Route } from '../route.ts';
import { accountKeyRoutes } from './account-keys/index.ts';
import { apiKeyRoutes } from './api-keys/index.ts';
import { auditRoutes } from './audit/index.ts';
import { authRoutes } from './auth/index.ts';
import { backupRoutes } from './backups/index.ts';
import { healthzRoute } from './health/healthz.ts';
import { readyzRoute } from './health/readyz.ts';
import { instanceRoutes } from './instances/index.ts';
import { invitationRoutes } from './invitations/index.ts';
import { metricRoutes } from './metrics/index.ts';
import { operationRoutes } from './operations/index.ts';
import { organizationRoutes } from './organizations/index.ts';

export const routes: readonly Route[] = [
  healthzRoute,
  readyzRoute,
  ...instanceRoutes,
  ...apiKeyRoutes,
  ...operationRoutes,
  ...metricRoutes,
  ...backupRoutes,
  ...authRoutes,
  ...organizationRoutes,
  ...invitationRoutes,
  ...accountKeyRoutes,
  ...auditRoutes,
];
