import type { Route } from '../../route.ts';
import { operationEventsRoute } from './events.ts';
import { getOperationRoute } from './get.ts';
import { listOperationsRoute } from './list.ts';

export const operationRoutes: readonly Route[] = [
  listOperationsRoute,
  getOperationRoute,
  operationEventsRoute,
];
