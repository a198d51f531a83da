/**
 * The shapes of the control API, as zod schemas: they check input, and the OpenAPI document is made
 * from them. Where the documents of the product show different fields of one thing, the fields of all.
 */
import { z } from 'zod';
import { defaultEvictionPolicy, evictionPolicies } from '../instances/eviction-policies.ts';
import { defaultTier, memoryBounds } from '../instances/plans.ts';
import { regionIds } from '../instances/regions.ts';
import { idPattern } from '../lib/ids.ts';

const { minBytes, maxBytes } = memoryBounds(defaultTier);
const keysPerInstanceMax = 64;

const timestamp = z.iso.datetime().meta({ example: '2024-01-15T10:30:00.000Z' });

/** A name that people give: no control or line-breaking characters, no blanks around it. */
export const nameSchema = z
  .string()
  .min(1, 'must not be empty')
  .max(64, 'must have at most 64 characters')
  .regex(/^[^\p{Cc}\p{Cf}\u2028\u2029]*$/u, 'must not contain control characters')
  .refine((name) => name.trim() === name, 'must not begin or end with a blank')
  .refine((name) => name.isWellFormed(), 'must not contain half a character')
  .meta({ example: 'my-cache' });

const organizationId = z
  .string()
  .max(64)
  .meta({ example: 'org_abc123', description: 'The organization that owns the instance.' });

const maxMemory = z
  .number()
  .int('must be a whole number of bytes')
  .min(minBytes, `must be at least ${minBytes} bytes`)
  .max(maxBytes, `must be at most ${maxBytes} bytes`)
  .meta({ example: 536870912, description: 'Redis maxmemory in bytes.' });

const evictionPolicy = z
  .enum(evictionPolicies)
  .meta({ description: 'What Redis evicts when maxMemory is reached.' });

export const regionSchema = z
  .object({
    region: z.string().meta({ example: 'eu-central' }),
    regionName: z.string().meta({ example: 'Europe (Germany)' }),
    flag: z.string().meta({ example: '🇩🇪' }),
    available: z.boolean(),
  })
  .meta({ id: 'Region' });

export const statusSchema = z
  .enum(['PROVISIONING', 'RUNNING', 'FAILED', 'DELETING'])
  .meta({ id: 'InstanceStatus' });

export const newInstanceSchema = z
  .strictObject({
    organizationId,
    name: nameSchema,
    maxMemory,
    region: z.enum(regionIds),
    evictionPolicy: evictionPolicy.default(defaultEvictionPolicy),
    persistence: z.boolean().default(false),
    apiKeyIds: z
      .array(z.string().regex(idPattern('key'), 'must be the id of an API key'))
      .max(keysPerInstanceMax)
      .refine((ids) => new Set(ids).size === ids.length, 'must not name a key twice')
      .default([])
      .meta({ description: 'Existing keys to bind; without any, a default key is made.' }),
  })
  .meta({ id: 'NewInstance' });

export const keySchema = z
  .object({
    id: z.string().meta({ example: 'key_xyz789' }),
    name: z.string().meta({ example: 'my-cache-default' }),
    createdAt: timestamp,
    lastUsed: timestamp.nullable(),
    permissions: z.array(z.enum(['read', 'write'])),
    ipWhitelist: z.array(z.string()),
    rateLimit: z.number().int(),
  })
  .meta({ id: 'ApiKey' });

export const createdKeySchema = keySchema
  .extend({
    plainTextKey: z.string().meta({
      example: 'sc_live_9f8e7d6c5b4a3f2e1d0c9b8a7f6e5d4c',
      description: 'Shown only here.',
    }),
  })
  .meta({ id: 'CreatedApiKey' });

const failureSchema = z
  .object({ code: z.string(), message: z.string(), remedy: z.string() })
  .meta({ id: 'Failure' });

export const instanceSchema = z
  .object({
    id: z.string().meta({ example: 'inst_abc123' }),
    organizationId: z.string(),
    name: z.string(),
    status: statusSchema,
    hostname: z.string().nullable().meta({ description: 'null until the instance is RUNNING.' }),
    host: z.string(),
    port: z.number().int(),
    maxMemory: z.number().int(),
    maxMemoryMb: z.number().int().meta({ example: 512 }),
    region: z.string(),
    tier: z.string(),
    evictionPolicy,
    persistence: z.boolean(),
    failure: failureSchema.nullable(),
    createdAt: timestamp,
    updatedAt: timestamp,
  })
  .meta({ id: 'Instance' });

export const createdInstanceSchema = instanceSchema
  .extend({
    password: z
      .string()
      .nullable()
      .meta({ description: 'The default key, as a Redis password. Shown only here.' }),
  })
  .meta({ id: 'CreatedInstance' });

export const instanceWithKeysSchema = instanceSchema
  .extend({ apiKeys: z.array(keySchema) })
  .meta({ id: 'InstanceWithKeys' });

export const operationSchema = z
  .object({
    id: z.string().meta({ example: 'op_k2v7' }),
    kind: z.enum(['create', 'delete', 'retry']),
    instanceId: z.string(),
    status: z.enum(['QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'SUPERSEDED']),
    progress: z.number().int().min(0).max(100).meta({ description: 'Per cent.' }),
    steps: z.array(
      z.object({ name: z.string(), startedAt: timestamp, finishedAt: timestamp.nullable() }),
    ),
    error: failureSchema.nullable(),
    createdAt: timestamp,
    startedAt: timestamp.nullable(),
    finishedAt: timestamp.nullable(),
  })
  .meta({ id: 'Operation' });

/** RFC 9457, with `code`, `requestId`, `remedy` and the fields in question. */
export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    code: z.string(),
    remedy: z.string(),
    requestId: z.string(),
    errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
  })
  .meta({ id: 'Problem' });

/** An instance's id in a path: any text will do, what is not one of ours is not found. */
export const instanceParams = z.object({ instanceId: z.string().max(64) });
