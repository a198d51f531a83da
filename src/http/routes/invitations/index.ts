import type { Route } from '../../route.ts';
import { acceptRoute } from './accept.ts';
import { createRoute } from './create.ts';
import { deleteRoute } from './delete.ts';
import { listRoute } from './list.ts';

export const invitationRoutes: readonly Route[] = [
  createRoute,
  listRoute,
  deleteRoute,
  acceptRoute,
];
