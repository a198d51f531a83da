import { defineEntity, type InferEntity, p } from '@mikro-orm/core';

/** What an instance did within a minute or an hour, and how it stood at the end. */
export const MetricPointEntity = defineEntity({
  name: 'MetricPoint',
  tableName: 'metric_points',
  properties: {
    instanceId: p.string().primary(),
    resolution: p.string().$type<'minute' | 'hour'>().primary(),
    /** When it begins, in milliseconds since the epoch. */
    atMs: p.bigint('number').primary(),
    commands: p.bigint('number'),
    bytesIn: p.bigint('number'),
    bytesOut: p.bigint('number'),
    hits: p.bigint('number'),
    misses: p.bigint('number'),
    evicted: p.bigint('number'),
    expired: p.bigint('number'),
    /** In bytes, as maxmemory counts it, at the last look. */
    memoryUsed: p.bigint('number'),
    /** Connections at the last look. */
    clients: p.integer(),
    /** Calls by the upper bound of their bucket in microseconds. */
    latency: p.json<Record<string, number>>(),
  },
});

export type MetricPoint = InferEntity<typeof MetricPointEntity>;
