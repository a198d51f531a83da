import { defineEntity, p } from '@mikro-orm/core';

/** A fact about this installation that must outlive a process, e.g. its id. */
export const SettingEntity = defineEntity({
  name: 'Setting',
  tableName: 'settings',
  properties: {
    name: p.string().primary(),
    value: p.text(),
  },
});
