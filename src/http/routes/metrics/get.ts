import { z } from 'zod';
import { readMetrics } from '../../../metrics/read-metrics.ts';
import { presentMetricPoint } from '../../present/metrics.ts';
import { defineRoute } from '../../route.ts';
import { instanceParams } from '../../schemas/instances.ts';
import { metricPointSchema, metricsQuery } from '../../schemas/metrics.ts';

export const getMetricsRoute = defineRoute({
  method: 'get',
  path: '/api/v1/instances/:instanceId/metrics',
  operationId: 'getInstanceMetrics',
  access: 'account',
  summary: "Get an instance's metrics; the last 24 hours by minutes unless told otherwise",
  params: instanceParams,
  query: metricsQuery,
  answers: {
    200: {
      description: 'Points that were measured, oldest first, and the latest minute, read just now',
      schema: z.object({ metrics: z.array(metricPointSchema), current: metricPointSchema }),
    },
  },
  async handle({ params, query, caller, services }) {
    const { points, current } = await readMetrics(services, caller, params.instanceId, {
      from: query.from === undefined ? undefined : new Date(query.from),
      to: query.to === undefined ? undefined : new Date(query.to),
      stepMs: query.step * 1_000,
    });
    return {
      status: 200,
      body: { metrics: points.map(presentMetricPoint), current: presentMetricPoint(current) },
    };
  },
});
