import { defineEntity, p } from '@mikro-orm/core';

/** A region as a row: whoever promises memory of its host locks it, so that none is promised twice. */
export const RegionEntity = defineEntity({
  name: 'Region',
  tableName: 'regions',
  properties: {
    id: p.string().primary(),
  },
});
