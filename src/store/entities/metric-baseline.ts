import { defineEntity, type InferEntity, p } from '@mikro-orm/core';

/** An instance's counters as last seen; whoever writes its metric points holds this row. */
export const MetricBaselineEntity = defineEntity({
  name: 'MetricBaseline',
  tableName: 'metric_baselines',
  properties: {
    instanceId: p.string().primary(),
    /** The Redis process; null for an instance with a history before metrics were kept. */
    runId: p.string().nullable(),
    /** When Redis read them, by its own clock. */
    serverTimeUs: p.bigint('number'),
    commands: p.bigint('number'),
    bytesIn: p.bigint('number'),
    bytesOut: p.bigint('number'),
    hits: p.bigint('number'),
    misses: p.bigint('number'),
    evicted: p.bigint('number'),
    expired: p.bigint('number'),
    /** Calls by the upper bound of their bucket in microseconds. */
    latency: p.json<Record<string, number>>(),
  },
});

export type MetricBaseline = InferEntity<typeof MetricBaselineEntity>;
