import type { Route } from '../../route.ts';
import { createRoute } from './create.ts';
import { deleteRoute } from './delete.ts';
import { getRoute } from './get.ts';
import { listRoute } from './list.ts';
import { updateRoute } from './update.ts';

export const accountKeyRoutes: readonly Route[] = [
  createRoute,
  listRoute,
  getRoute,
  updateRoute,
  deleteRoute,
];
