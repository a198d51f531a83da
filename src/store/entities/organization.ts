import { defineEntity, type InferEntity, p } from '@mikro-orm/core';

/** An organization: what owns instances and keys. */
export const OrganizationEntity = defineEntity({
  name: 'Organization',
  tableName: 'organizations',
  properties: {
    id: p.string().primary(),
    name: p.string(),
    /** A name in plans.json; only an operator changes it. */
    plan: p.string().default('free'),
    createdAt: p.datetime(),
    /** The row stays, because deleted instances and their operations refer to it. */
    deletedAt: p.datetime().nullable(),
  },
});

export type Organization = InferEntity<typeof OrganizationEntity>;
