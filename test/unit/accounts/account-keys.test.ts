import {
  bootstrapOrganization,
  issueAccountKey,
  removeAccountKey,
} from '../../../src/accounts/account-keys.ts';
import { AccountKeyEntity } from '../../../src/store/entities/account-key.ts';
import { AuditEntryEntity } from '../../../src/store/entities/audit-entry.ts';
import { OrganizationEntity } from '../../../src/store/entities/organization.ts';
import { testOnEachDatabase } from '../../support/databases.ts';
import { addOrganization, someDate } from '../../support/rows.ts';

const clock = { now: () => someDate };

testOnEachDatabase(
  'the first organization is made once, and not for one deleted',
  async (t, orm) => {
    const { id } = await addOrganization(orm);
    const again = await bootstrapOrganization({ orm, clock }, undefined);
    t.deepEqual(again, { organizationId: id, secret: undefined });
    await orm.em.fork().nativeUpdate(OrganizationEntity, { id }, { deletedAt: someDate });
    const { organizationId, secret } = await bootstrapOrganization({ orm, clock }, undefined);
    t.not(organizationId, id);
    t.regex(secret ?? '', /^sk_live_/);
    t.deepEqual(await bootstrapOrganization({ orm, clock }, undefined), {
      organizationId,
      secret: undefined,
    });
  },
);

testOnEachDatabase('what the operator does with account keys is noted', async (t, orm) => {
  const { organizationId } = await bootstrapOrganization({ orm, clock }, undefined);
  const { id } = await issueAccountKey({ orm, clock }, { organizationId, name: 'demo' });
  await removeAccountKey({ orm, clock }, { id, organizationId });
  t.is(await orm.em.fork().count(AccountKeyEntity), 1);
  const entries = await orm.em.fork().find(AuditEntryEntity, { organizationId });
  t.true(entries.every(({ actorKind, outcome }) => actorKind === 'system' && outcome === 'done'));
  const noted = entries.map(({ action, targetId }) => `${action} ${targetId === id}`);
  t.deepEqual(noted.sort(), [
    'account-key.create false',
    'account-key.create true',
    'account-key.delete true',
    'organization.create false',
  ]);
});
