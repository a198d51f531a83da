import type { Route } from '../../route.ts';
import { bindRoute, unbindRoute } from './binding.ts';
import { createRoute } from './create.ts';
import { createForInstanceRoute } from './create-for-instance.ts';
import { deleteRoute } from './delete.ts';
import { getRoute } from './get.ts';
import { listRoute } from './list.ts';
import { listOfInstanceRoute } from './list-of-instance.ts';
import { updateRoute } from './update.ts';

export const apiKeyRoutes: readonly Route[] = [
  createForInstanceRoute,
  listOfInstanceRoute,
  bindRoute,
  unbindRoute,
  createRoute,
  listRoute,
  getRoute,
  updateRoute,
  deleteRoute,
];
