import { percentile } from '../../metrics/latency.ts';
import type { MeasuredSpan } from '../../metrics/read-metrics.ts';
import type { metricPointSchema } from '../schemas/metrics.ts';
import type { Shown } from './failure.ts';

export function presentMetricPoint(span: MeasuredSpan): Shown<typeof metricPointSchema> {
  return {
    time: new Date(span.atMs).toISOString(),
    commands: span.commands,
    bytesIn: span.bytesIn,
    bytesOut: span.bytesOut,
    hits: span.hits,
    misses: span.misses,
    evicted: span.evicted,
    expired: span.expired,
    memoryUsed: span.memoryUsed,
    clients: span.clients,
    latencyP50Us: percentile(span.latency, 0.5),
    latencyP99Us: percentile(span.latency, 0.99),
  };
}
