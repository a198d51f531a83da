import type { Route } from '../../route.ts';
import { listRoute } from './list.ts';

export const auditRoutes: readonly Route[] = [listRoute];
