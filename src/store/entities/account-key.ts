import { defineEntity, type InferEntity, p } from '@mikro-orm/core';
import type { Role } from './membership.ts';

/**
 * An account key (`sk_live_…`); only its SHA-256 is kept. It acts for one organization, or, where
 * `organizationId` is null, for every organization of its user, never beyond that user's role there.
 */
export const AccountKeyEntity = defineEntity({
  name: 'AccountKey',
  tableName: 'account_keys',
  properties: {
    id: p.string().primary(),
    organizationId: p.string().nullable(),
    /** Who made it: null for a key that the service or another organization's key made. */
    userId: p.string().nullable(),
    name: p.string(),
    role: p.string().$type<Role>(),
    secretHash: p.string().unique('account_keys_secret_hash_unique'),
    createdAt: p.datetime(),
    lastUsedAt: p.datetime().nullable(),
    expiresAt: p.datetime().nullable(),
  },
});

export type AccountKey = InferEntity<typeof AccountKeyEntity>;
