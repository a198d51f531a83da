/** Every route of the control API. */
import type { Route } from '../route.ts';
import { healthzRoute } from './health/healthz.ts';
import { readyzRoute } from './health/readyz.ts';
import { createRoute } from './instances/create.ts';
import { deleteRoute } from './instances/delete.ts';
import { getRoute } from './instances/get.ts';
import { listRoute } from './instances/list.ts';
import { regionsRoute } from './instances/regions.ts';
import { retryRoute } from './instances/retry.ts';
import { getOperationRoute } from './operations/get.ts';

/** Fixed paths come before those with parameters. */
export const routes: readonly Route[] = [
  healthzRoute,
  readyzRoute,
  regionsRoute,
  createRoute,
  listRoute,
  getRoute,
  deleteRoute,
  retryRoute,
  getOperationRoute,
];
