/** Invitations end with the right of whoever made them. */
import { createInvitation } from '../../src/accounts/invitations.ts';
import { createAccountThrottle } from '../../src/accounts/throttle.ts';
import { AccountKeyEntity } from '../../src/store/entities/account-key.ts';
import { MembershipEntity } from '../../src/store/entities/membership.ts';
import { type Answer, type Api, startApi } from '../support/api.ts';
import { testOnEachDatabase } from '../support/databases.ts';
import { addAccountKey, addPerson, logInAs, type PersonCaller } from '../support/people.ts';
import { isProblem } from '../support/problems.ts';
import { addOrganization, someDate } from '../support/rows.ts';
import { testConfig } from '../support/test-config.ts';

function pathOf({ owner }: Api): string {
  return `/api/v1/organizations/${owner.organizationId}/invitations`;
}

function secretOf({ body }: Answer): string {
  return new URL(body.invitation.link).hash.slice(1);
}

function take(person: PersonCaller, secret: string): Promise<Answer> {
  return person.call('post', '/api/v1/invitations/accept', { secret });
}

/** The ids of the invitations that are listed. */
async function listedIds(api: Api): Promise<string[]> {
  const { body } = await api.own('get', pathOf(api));
  return body.invitations.map(({ id }: { id: string }) => id);
}

testOnEachDatabase('invitations end with the right of the member who made them', async (t, orm) => {
  const api = await startApi(t, orm);
  const { organizationId } = api.owner;
  const ends: ((path: string) => Promise<Answer>)[] = [
    (path) => api.own('delete', path),
    (path) => api.own('patch', path, { role: 'developer' }),
  ];
  for (const end of ends) {
    const grace = await logInAs(api, 'admin');
    const { secret: key } = await addAccountKey(orm, { userId: grace.userId, role: 'admin' });
    const body = { role: 'admin' };
    const bySession = await grace.call('post', pathOf(api), body);
    const byKey = await api.call('post', pathOf(api), { key, body });
    const accepted = await grace.call('post', pathOf(api), body);
    await take(await logInAs(api), secretOf(accepted));
    const { body: kept } = await api.own('post', pathOf(api), body);
    const path = `/api/v1/organizations/${organizationId}/members/${grace.userId}`;
    t.true((await end(path)).status < 300);
    for (const ended of [bySession, byKey]) {
      isProblem(t, await take(await logInAs(api), secretOf(ended)), 'invitation_invalid');
    }
    const listed = await listedIds(api);
    t.true(listed.includes(accepted.body.invitation.id));
    t.true(listed.includes(kept.invitation.id));
    t.false(listed.includes(byKey.body.invitation.id));
  }
});

testOnEachDatabase('a member who gets a higher role keeps their invitations', async (t, orm) => {
  const api = await startApi(t, orm);
  const admin = await logInAs(api, 'admin');
  const { body } = await admin.call('post', pathOf(api), { role: 'viewer' });
  const path = `/api/v1/organizations/${api.owner.organizationId}/members/${admin.userId}`;
  t.is((await api.own('patch', path, { role: 'owner' })).status, 200);
  t.deepEqual(await listedIds(api), [body.invitation.id]);
});

testOnEachDatabase('invitations end with the account key that made them', async (t, orm) => {
  const api = await startApi(t, orm);
  const { organizationId } = api.owner;
  const { id, secret: key } = await addAccountKey(orm, { organizationId, role: 'admin' });
  const invited = await api.call('post', pathOf(api), { key, body: { role: 'viewer' } });
  t.is(invited.body.invitation.createdBy, id);
  t.is((await api.own('delete', `/api/v1/account-keys/${id}`)).status, 204);
  isProblem(t, await take(await logInAs(api), secretOf(invited)), 'invitation_invalid');
  t.deepEqual(await listedIds(api), []);
});

testOnEachDatabase('who has just lost the right leaves no invitation behind', async (t, orm) => {
  const { id: organizationId } = await addOrganization(orm);
  const services = {
    orm,
    clock: { now: () => someDate },
    config: testConfig(),
    accountThrottle: createAccountThrottle(),
  };
  const origin = { ip: null, requestId: null };
  const roles = new Map([[organizationId, 'admin' as const]]);
  const rest = { ceiling: 'admin' as const, roles, origin };
  // What each could do when their request came; the database knows better by now.
  const { userId } = await addPerson(orm, { [organizationId]: 'developer' });
  const { id } = await addAccountKey(orm, { organizationId, role: 'admin' });
  const wish = { organizationId, role: 'viewer' as const, email: null, expiresInHours: 1 };
  const person = { kind: 'user' as const, id: userId, userId, ...rest };
  await t.throwsAsync(createInvitation(services, person, wish), { code: 'forbidden' });
  await orm.em.fork().nativeDelete(MembershipEntity, { userId });
  await t.throwsAsync(createInvitation(services, person, wish), { code: 'not_found' });
  const key = { kind: 'account-key' as const, id, userId: null, ...rest };
  await t.notThrowsAsync(createInvitation(services, key, wish));
  await orm.em.fork().nativeDelete(AccountKeyEntity, { id });
  await t.throwsAsync(createInvitation(services, key, wish), { code: 'forbidden' });
});
