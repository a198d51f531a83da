/** Metrics, as the control API gives them. */
import { z } from 'zod';
import { timestamp } from './common.ts';

const stepSecondsMin = 60;
const stepSecondsMax = 86_400;

const moment = z.iso.datetime({ offset: true, error: 'must be a time as of RFC 3339' }).optional();

export const metricsQuery = z.strictObject({
  from: moment.meta({
    example: '2030-01-15T10:00:00Z',
    description: 'Where to begin; 24 hours before `to` where left out.',
  }),
  to: moment.meta({
    example: '2030-01-15T12:00:00Z',
    description: 'Where to end; now where left out.',
  }),
  step: z.coerce
    .number()
    .int('must be a whole number of seconds')
    .min(stepSecondsMin, `must be at least ${stepSecondsMin}`)
    .max(stepSecondsMax, `must be at most ${stepSecondsMax}`)
    .multipleOf(stepSecondsMin, `must be a multiple of ${stepSecondsMin}`)
    .default(stepSecondsMin)
    .meta({ example: 60, description: 'Seconds that a point stands for, a multiple of 60.' }),
});

const count = z.number().int().min(0);
const latency = count.nullable();

export const metricPointSchema = z
  .object({
    time: timestamp.meta({ description: 'When it begins.' }),
    commands: count.meta({
      example: 1500,
      description: 'Commands run, but for those that sign in, PING, CLIENT and INFO.',
    }),
    bytesIn: count.meta({ example: 524288 }),
    bytesOut: count.meta({ example: 1048576 }),
    hits: count.meta({ example: 1200, description: 'Reads that found their key.' }),
    misses: count.meta({ example: 300, description: 'Reads that did not.' }),
    evicted: count.meta({ description: 'Keys that made room for others.' }),
    expired: count.meta({ description: 'Keys whose time was over.' }),
    memoryUsed: count.nullable().meta({
      example: 1048576,
      description: 'Bytes of data at the end, as maxMemory counts them.',
    }),
    clients: count.nullable().meta({ example: 3, description: 'Connections at the end.' }),
    latencyP50Us: latency.meta({
      example: 3,
      description: 'Half of the commands took at most this many microseconds inside Redis.',
    }),
    latencyP99Us: latency.meta({ example: 12, description: 'The same of 99 in 100.' }),
  })
  .meta({ id: 'MetricPoint' });
