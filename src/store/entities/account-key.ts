import { defineEntity, p } from '@mikro-orm/core';

/** An account key (`sk_live_…`) of an organization; only its SHA-256 is kept. */
export const AccountKeyEntity = defineEntity({
  name: 'AccountKey',
  tableName: 'account_keys',
  properties: {
    id: p.string().primary(),
    organizationId: p.string(),
    name: p.string(),
    secretHash: p.string().unique('account_keys_secret_hash_unique'),
    createdAt: p.datetime(),
    lastUsedAt: p.datetime().nullable(),
  },
});
