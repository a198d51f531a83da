import type { Route } from '../../route.ts';
import { getMetricsRoute } from './get.ts';

export const metricRoutes: readonly Route[] = [getMetricsRoute];
