import type { Route } from '../../route.ts';
import { createRoute } from './create.ts';
import { deleteRoute } from './delete.ts';
import { getRoute } from './get.ts';
import { listRoute } from './list.ts';
import { powerRoutes } from './power.ts';
import { previewRoute } from './preview.ts';
import { regionsRoute } from './regions.ts';
import { retryRoute } from './retry.ts';
import { updateRoute } from './update.ts';
import { upgradeRoute } from './upgrade.ts';

/** Fixed paths come before those with parameters. */
export const instanceRoutes: readonly Route[] = [
  regionsRoute,
  createRoute,
  listRoute,
  getRoute,
  updateRoute,
  previewRoute,
  deleteRoute,
  retryRoute,
  upgradeRoute,
  ...powerRoutes,
];
