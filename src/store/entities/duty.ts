import { defineEntity, p } from '@mikro-orm/core';

/** A duty: work that one of several servers does for all, and which of them does it now. */
export const DutyEntity = defineEntity({
  name: 'Duty',
  tableName: 'duties',
  properties: {
    name: p.string().primary(),
    owner: p.string().nullable(),
    expiresAtMs: p.bigint('number'),
    /** Raised with every new owner. */
    epoch: p.integer().default(0),
  },
});
