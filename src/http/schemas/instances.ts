/**
 * Instances, as the control API takes and gives them. Where the documents of the product show different
 * fields of one thing, the fields of all.
 */
import { z } from 'zod';
import { defaultEvictionPolicy, evictionPolicies } from '../../instances/eviction-policies.ts';
import { widestMemoryBounds } from '../../instances/plans.ts';
import { regionIds } from '../../instances/regions.ts';
import { idPattern } from '../../lib/ids.ts';
import { backupRuleSchema, shownBackupRuleSchema } from './backups.ts';
import {
  endTime,
  failureSchema,
  listOf,
  nameSchema,
  organizationId,
  pageQueryFields,
  repeated,
  timestamp,
} from './common.ts';
import { driftNoteSchema, driftPolicy } from './drift.ts';
import { keySchema } from './keys.ts';
import { printable, textOf } from './text.ts';

const { minBytes, maxBytes } = widestMemoryBounds();
const keysPerInstanceMax = 64;

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
  .enum([
    'PROVISIONING',
    'RUNNING',
    'DEGRADED',
    'RESTARTING',
    'STOPPING',
    'STOPPED',
    'STARTING',
    'FAILED',
    'DELETING',
  ])
  .meta({ id: 'InstanceStatus' });

const labelsMax = 32;
const labelValue = new RegExp(`^${printable}*$`, 'u');

const labels = z
  .record(
    z
      .string()
      .regex(/^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?$/, 'must be a label name: a-z, 0-9, _ and -'),
    textOf(256).regex(labelValue, 'must not contain control characters'),
  )
  .refine(
    (given) => Object.keys(given).length <= labelsMax,
    `must have at most ${labelsMax} labels`,
  )
  .meta({
    maxProperties: labelsMax,
    example: { environment: 'staging' },
    description: 'Names and values of your own.',
  });

const expiresAt = endTime.meta({
  example: '2030-01-01T00:00:00Z',
  description: 'When it is deleted by itself; null means never.',
});

const deletionProtection = z
  .boolean()
  .meta({ description: 'While true, the instance cannot be deleted.' });

export const backupId = z
  .string()
  .regex(idPattern('bkp'), 'must be the id of a backup')
  .meta({ example: 'bkp_abcdefghijklmnop' });

const backups = backupRuleSchema
  .nullable()
  .meta({ description: 'Backups by schedule; null ends it, and leaves the backups there are.' });

export const newInstanceSchema = z
  .strictObject({
    organizationId,
    name: nameSchema,
    maxMemory,
    region: z.enum(regionIds),
    evictionPolicy: evictionPolicy.default(defaultEvictionPolicy),
    persistence: z.boolean().default(false),
    labels: labels.default({}),
    deletionProtection: deletionProtection.default(false),
    driftPolicy: driftPolicy.default('repair'),
    expiresAt: expiresAt.default(null),
    fromBackup: backupId.nullable().default(null).meta({
      example: null,
      description: 'The backup whose data it begins with; of the same organization.',
    }),
    apiKeyIds: z
      .array(z.string().regex(idPattern('key'), 'must be the id of an API key'))
      .max(keysPerInstanceMax)
      .refine((ids) => new Set(ids).size === ids.length, 'must not name a key twice')
      .default([])
      .meta({
        uniqueItems: true,
        description: 'Existing keys to bind; without any, a default key is made.',
      }),
  })
  .meta({
    id: 'NewInstance',
    example: {
      organizationId: 'org_abc123',
      name: 'my-cache',
      maxMemory: 536870912,
      region: 'eu-central',
      evictionPolicy: 'allkeys-lru',
      persistence: false,
    },
  });

export const instanceChangesSchema = z
  .strictObject({
    name: nameSchema.optional(),
    maxMemory: maxMemory.optional(),
    evictionPolicy: evictionPolicy.optional(),
    persistence: z.boolean().optional(),
    labels: labels.optional(),
    deletionProtection: deletionProtection.optional(),
    driftPolicy: driftPolicy.optional(),
    expiresAt: expiresAt.optional(),
    backups: backups.optional(),
  })
  .refine((changes) => Object.keys(changes).length > 0, 'must name something to change')
  .meta({
    id: 'InstanceChanges',
    minProperties: 1,
    example: { name: 'my-cache-updated', maxMemory: 1073741824, evictionPolicy: 'volatile-lru' },
  });

export const instanceSchema = z
  .object({
    id: z.string().meta({ example: 'inst_abc123' }),
    organizationId: z.string().meta({ example: 'org_abc123' }),
    name: z.string().meta({ example: 'my-cache' }),
    status: statusSchema,
    hostname: z
      .string()
      .nullable()
      .meta({
        example: 'cache.example.com',
        description:
          'null until the instance is RUNNING. Where the service has a domain, the name of this instance ' +
          'alone: over TLS it says which instance is meant.',
      }),
    host: z.string().meta({ example: 'cache.example.com' }),
    port: z.number().int().meta({
      example: 6379,
      description: 'The port for `redis://`; for TLS alone where the service takes nothing else.',
    }),
    tlsPort: z.number().int().nullable().meta({
      example: 6380,
      description: 'The port for `rediss://`; null where the service has no certificate.',
    }),
    connectionString: z
      .string()
      .nullable()
      .meta({
        example: 'rediss://:[API_KEY]@cache.example.com:6380',
        description:
          'What any Redis client connects with, a data key in the place of [API_KEY]: with TLS where ' +
          'there is TLS. null until the instance is RUNNING.',
      }),
    maxMemory: z.number().int().meta({ example: 536870912, description: 'In bytes.' }),
    maxMemoryMb: z.number().int().meta({ example: 512 }),
    region: z.string().meta({ example: 'eu-central' }),
    tier: z.string().meta({ example: 'dedicated', description: "The organization's plan." }),
    evictionPolicy: evictionPolicy.meta({ example: defaultEvictionPolicy }),
    persistence: z.boolean(),
    image: z.string().nullable().meta({
      example: 'sha256:c8585f9f0d9b',
      description: 'The beginning of the digest of the Redis image it runs.',
    }),
    upgradeAvailable: z.boolean().meta({
      example: false,
      description: 'Whether the service offers another image: POST …/upgrade takes it.',
    }),
    labels: z.record(z.string(), z.string()).meta({ example: { environment: 'staging' } }),
    deletionProtection: z.boolean(),
    driftPolicy,
    drift: z.array(driftNoteSchema).meta({
      example: [],
      description: 'What is known to be otherwise than recorded.',
    }),
    expiresAt: timestamp.nullable().meta({ example: null }),
    backups: shownBackupRuleSchema.nullable(),
    failure: failureSchema.nullable(),
    createdAt: timestamp,
    updatedAt: timestamp,
  })
  .meta({ id: 'Instance' });

export const createdInstanceSchema = instanceSchema
  .extend({
    password: z.string().nullable().meta({
      example: 'sc_live_9f8e7d6c5b4a3f2e1d0c9b8a7f6e5d4c',
      description: 'The default key, as a Redis password. Shown only here.',
    }),
  })
  .meta({ id: 'CreatedInstance' });

export const instanceWithKeysSchema = instanceSchema
  .extend({ apiKeys: z.array(keySchema) })
  .meta({ id: 'InstanceWithKeys' });

/** Answers only: a schema of what JSON is would be recursive, and say no more. */
const json = z.unknown().meta({ description: 'Any JSON.' });

/** What a stack run would do to one resource. */
export const plannedChangeSchema = z
  .object({
    resource: z.string().meta({ example: 'settings' }),
    type: z.string().meta({ example: 'swiftcache:index:RedisSettings' }),
    action: z.string().meta({ example: 'update' }),
    properties: z.array(
      z.object({
        name: z.string().meta({ example: 'maxMemoryBytes' }),
        from: json.meta({ example: 67108864 }),
        to: json.meta({ example: 134217728 }),
      }),
    ),
  })
  .meta({ id: 'PlannedChange' });

const labelFilterPattern = new RegExp(
  `^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?(:${printable}{0,256})?$`,
  'u',
);
const labelFilter = textOf(320)
  .regex(labelFilterPattern, 'must be the name of a label, or name:value')
  .meta({ example: 'environment:staging' });

/** What a list of instances takes. */
export const instanceFilterSchema = z.strictObject({
  organizationId,
  status: listOf(statusSchema)
    .optional()
    .meta({ description: 'Only those with one of these; repeated or separated by commas.' }),
  region: z
    .string()
    .max(64)
    .regex(/^[a-z0-9-]*$/, 'must be the id of a region')
    .optional(),
  name: nameSchema.optional().meta({ description: 'Only those with exactly this name.' }),
  label: repeated(labelFilter).optional().meta({
    description: 'Only those with this label, as `name` or `name:value`; repeated, all must hold.',
  }),
  ...pageQueryFields,
});

/** An instance's id in a path: any text will do, what is not one of ours is not found. */
export const instanceParams = z.object({ instanceId: textOf(64) });
