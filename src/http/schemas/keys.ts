/** Data keys, as the control API takes and gives them. */
import { z } from 'zod';
import { normaliseAddressRule } from '../../keys/address-rules.ts';
import { unlimitedRate } from '../../keys/key-terms.ts';
import { idPattern } from '../../lib/ids.ts';
import { endTime, nameSchema, organizationId, timestamp } from './common.ts';
import { textOf } from './text.ts';

const addressRulesMax = 100;
const instancesMax = 64;

const permissions = z
  .array(z.enum(['read', 'write']))
  .min(1, 'must be ["read"] or ["read", "write"]')
  .max(2, 'must be ["read"] or ["read", "write"]')
  .refine((given) => new Set(given).size === given.length, 'must not name a permission twice')
  .refine((given) => given.includes('read'), 'must include "read"')
  .transform((given) => (given.includes('write') ? ['read', 'write'] : ['read']) as Permissions)
  .meta({
    description: '["read"] or ["read", "write"].',
    example: ['read', 'write'],
    uniqueItems: true,
    contains: { const: 'read' },
  });

type Permissions = ('read' | 'write')[];

const decimalByte = '(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])';
const hextet = '[0-9A-Fa-f]{1,4}';
const ipv6 = `((${hextet}:){7}${hextet}|(${hextet}:){1,6}:(${hextet})?|::((${hextet}:){0,6}${hextet})?)`;

const addressRule = textOf(64)
  .transform((text, context) => {
    const rule = normaliseAddressRule(text);
    if (rule !== undefined) return rule;
    context.addIssue('must be an IPv4 or IPv6 address or a range such as 192.0.2.0/24');
    return z.NEVER;
  })
  .meta({
    // What is taken is a little more: every way to write an IPv6 address.
    anyOf: [
      { format: 'ipv4' },
      { format: 'ipv6' },
      { pattern: `^(${decimalByte}\\.){3}${decimalByte}/(3[0-2]|[12]?[0-9])$` },
      { pattern: `^${ipv6}/(12[0-8]|1[01][0-9]|[1-9]?[0-9])$` },
    ],
  });

const ipWhitelist = z
  .array(addressRule)
  .max(addressRulesMax, `must have at most ${addressRulesMax} addresses and ranges`)
  .transform((rules) => [...new Set(rules)])
  .meta({
    description: 'Addresses and ranges the key may be used from; empty means any.',
    example: ['192.0.2.0/24'],
  });

const rateLimit = z
  .number()
  .int()
  .min(1)
  .max(unlimitedRate)
  .meta({ description: 'Requests per second; 1000 means unlimited.', example: 1000 });

const expiresAt = endTime.meta({
  example: '2030-01-01T00:00:00Z',
  description: 'From when on it opens nothing; null means never.',
});

const newKeyFields = {
  name: nameSchema,
  permissions: permissions.default(['read', 'write']),
  ipWhitelist: ipWhitelist.default([]),
  rateLimit: rateLimit.default(unlimitedRate),
  expiresAt: expiresAt.default(null),
};

export const newInstanceKeySchema = z.strictObject(newKeyFields).meta({ id: 'NewInstanceApiKey' });

export const newKeySchema = z
  .strictObject({
    organizationId,
    ...newKeyFields,
    instanceIds: z
      .array(z.string().regex(idPattern('inst'), 'must be the id of an instance'))
      .max(instancesMax)
      .refine((ids) => new Set(ids).size === ids.length, 'must not name an instance twice')
      .default([])
      .meta({ uniqueItems: true, description: 'The instances it opens.' }),
  })
  .meta({ id: 'NewApiKey' });

export const keyChangesSchema = z
  .strictObject({
    name: nameSchema.optional(),
    permissions: permissions.optional(),
    ipWhitelist: ipWhitelist.optional(),
    rateLimit: rateLimit.optional(),
    expiresAt: expiresAt.optional(),
  })
  .refine((changes) => Object.keys(changes).length > 0, 'must name something to change')
  .meta({ id: 'ApiKeyChanges', minProperties: 1 });

export const keySchema = z
  .object({
    id: z.string().meta({ example: 'key_xyz789' }),
    organizationId: z.string().meta({ example: 'org_abc123' }),
    name: z.string().meta({ example: 'my-cache-default' }),
    createdAt: timestamp,
    lastUsed: timestamp.nullable(),
    expiresAt: timestamp.nullable().meta({ example: null }),
    permissions: z.array(z.enum(['read', 'write'])).meta({ example: ['read', 'write'] }),
    ipWhitelist: z.array(z.string()).meta({ example: ['192.0.2.0/24'] }),
    rateLimit: z.number().int().meta({ example: 1000 }),
  })
  .meta({ id: 'ApiKey' });

const instanceIds = z
  .array(z.string())
  .meta({ description: 'The instances it opens.', example: ['inst_abc123'] });

const plainTextKey = z.string().meta({
  example: 'sc_live_9f8e7d6c5b4a3f2e1d0c9b8a7f6e5d4c',
  description: 'Shown only here.',
});

export const keyWithInstancesSchema = keySchema
  .extend({ instanceIds })
  .meta({ id: 'ApiKeyWithInstances' });

export const createdKeySchema = keySchema.extend({ plainTextKey }).meta({ id: 'CreatedApiKey' });

export const createdKeyWithInstancesSchema = keyWithInstancesSchema
  .extend({ plainTextKey })
  .meta({ id: 'CreatedApiKeyWithInstances' });

/** Ids in a path: any text will do, what is not one of ours is not found. */
export const keyParams = z.object({ keyId: textOf(64) });
export const bindingParams = z.object({
  instanceId: textOf(64),
  keyId: textOf(64),
});
