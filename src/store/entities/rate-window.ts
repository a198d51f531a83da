import { defineEntity, p } from '@mikro-orm/core';

/** How much of a rate all gateway processes together have taken of one second. */
export const RateWindowEntity = defineEntity({
  name: 'RateWindow',
  tableName: 'rate_windows',
  properties: {
    /** The id of the key or the organization whose rate it is. */
    name: p.string().primary(),
    /** The second, since the epoch, by the database's clock. */
    windowS: p.bigint('number'),
    /** What was asked for, so it may be more than there was to give. */
    used: p.bigint('number'),
  },
});
