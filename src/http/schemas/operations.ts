/** Operations, as the control API gives them. */
import { z } from 'zod';
import { failureSchema, timestamp } from './common.ts';

export const operationStatus = z
  .enum(['QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'SUPERSEDED'])
  .meta({ id: 'OperationStatus' });

export const operationSchema = z
  .object({
    id: z.string().meta({ example: 'op_k2v7' }),
    kind: z.enum([
      'create',
      'update',
      'restart',
      'stop',
      'start',
      'delete',
      'retry',
      'repair',
      'upgrade',
      'restore',
    ]),
    instanceId: z.string(),
    status: operationStatus,
    progress: z.number().int().min(0).max(100).meta({ description: 'Per cent.' }),
    steps: z.array(
      z.object({ name: z.string(), startedAt: timestamp, finishedAt: timestamp.nullable() }),
    ),
    error: failureSchema.nullable(),
    createdAt: timestamp,
    startedAt: timestamp.nullable(),
    finishedAt: timestamp.nullable(),
  })
  .meta({
    id: 'Operation',
    example: {
      id: 'op_k2v7',
      kind: 'create',
      instanceId: 'inst_abc123',
      status: 'RUNNING',
      progress: 60,
      steps: [
        {
          name: 'volume',
          startedAt: '2024-01-15T10:30:00.512Z',
          finishedAt: '2024-01-15T10:30:00.560Z',
        },
        { name: 'container', startedAt: '2024-01-15T10:30:00.560Z', finishedAt: null },
      ],
      error: null,
      createdAt: '2024-01-15T10:30:00.000Z',
      startedAt: '2024-01-15T10:30:00.008Z',
      finishedAt: null,
    },
  });

/** A server-sent event by its fields; the stream is text, a few lines an event. */
export const operationEventSchema = z
  .object({
    event: z.enum(['operation', 'end']),
    id: z.string().meta({ description: 'A number that grows.', example: '1' }),
    data: z.string().meta({
      description: 'The Operation as JSON; `{}` with the last event.',
      example: '{"id":"op_k2v7","status":"RUNNING"}',
    }),
  })
  .meta({
    id: 'OperationEvent',
    description:
      'One event of the stream: `operation` at once and at each change, then `end`. A comment comes ' +
      'every 15 seconds where nothing changes.',
  });
