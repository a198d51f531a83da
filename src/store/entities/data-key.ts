import { defineEntity, type InferEntity, p } from '@mikro-orm/core';

export type KeyPermission = 'read' | 'write';

/** A data key (`sc_live_…`): what a Redis client or an HTTP command signs in with. */
export const DataKeyEntity = defineEntity({
  name: 'DataKey',
  tableName: 'data_keys',
  properties: {
    id: p.string().primary(),
    organizationId: p.string(),
    name: p.string(),
    /** SHA-256 of the secret, lower-case hex; also the password hash of the key's ACL user. */
    secretHash: p.string().unique('data_keys_secret_hash_unique'),
    permissions: p.json<KeyPermission[]>(),
    /** Addresses and CIDR ranges; empty means any. */
    ipWhitelist: p.json<string[]>(),
    /** Requests per second; 1000 means unlimited. */
    rateLimit: p.integer(),
    createdAt: p.datetime(),
    lastUsedAt: p.datetime().nullable(),
    /** From then on it opens nothing. */
    expiresAt: p.datetime().nullable(),
    /** The instance it was made for, and ends with, unless another is bound to it by then. */
    madeForInstanceId: p.string().nullable(),
  },
});

export type DataKey = InferEntity<typeof DataKeyEntity>;

/** Says that a data key opens an instance. */
export const KeyBindingEntity = defineEntity({
  name: 'KeyBinding',
  tableName: 'key_bindings',
  properties: {
    instanceId: p.string().primary(),
    keyId: p.string().primary(),
    createdAt: p.datetime(),
  },
});
