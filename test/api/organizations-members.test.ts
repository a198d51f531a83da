/** Members: who may change whose role, and that an organization always has an owner. */
import type { Orm } from '../../src/store/database.ts';
import { AuditEntryEntity } from '../../src/store/entities/audit-entry.ts';
import { MembershipEntity, type Role } from '../../src/store/entities/membership.ts';
import { startApi } from '../support/api.ts';
import { testOnEachDatabase } from '../support/databases.ts';
import { addAccountKey, logInAs, type PersonCaller } from '../support/people.ts';
import { isProblem } from '../support/problems.ts';

const organizations = '/api/v1/organizations';

async function roleOf(orm: Orm, organizationId: string, userId: string): Promise<Role | undefined> {
  const found = await orm.em.fork().findOne(MembershipEntity, { organizationId, userId });
  return found?.role;
}

testOnEachDatabase('nobody gives or takes a role above their own', async (t, orm) => {
  const api = await startApi(t, orm);
  const { organizationId } = api.owner;
  const members = `${organizations}/${organizationId}/members`;
  const [owner, admin, developer] = [
    await logInAs(api, 'owner'),
    await logInAs(api, 'admin'),
    await logInAs(api, 'developer'),
  ];
  await logInAs(api, 'owner');
  const refused: [PersonCaller, string, string, object?][] = [
    [admin, 'patch', admin.userId, { role: 'owner' }],
    [admin, 'patch', developer.userId, { role: 'owner' }],
    [admin, 'patch', owner.userId, { role: 'viewer' }],
    [admin, 'delete', owner.userId],
    [developer, 'patch', developer.userId, { role: 'admin' }],
    [developer, 'patch', admin.userId, { role: 'viewer' }],
    [developer, 'delete', admin.userId],
  ];
  for (const [caller, method, userId, body] of refused) {
    isProblem(t, await caller.call(method, `${members}/${userId}`, body), 'forbidden');
  }
  t.is(await roleOf(orm, organizationId, owner.userId), 'owner');
  t.is(await roleOf(orm, organizationId, admin.userId), 'admin');
  t.is(await roleOf(orm, organizationId, developer.userId), 'developer');
  const entries = await orm.em
    .fork()
    .count(AuditEntryEntity, { organizationId, outcome: 'refused' });
  t.is(entries, refused.length);
  const path = `${members}/${developer.userId}`;
  t.is((await admin.call('patch', path, { role: 'admin' })).body.member.role, 'admin');
  t.is((await developer.call('patch', path, { role: 'viewer' })).body.member.role, 'viewer');
  isProblem(t, await developer.call('patch', path, { role: 'admin' }), 'forbidden');
});

testOnEachDatabase('everybody may leave, but the last owner', async (t, orm) => {
  const api = await startApi(t, orm);
  const { organizationId } = api.owner;
  const path = `${organizations}/${organizationId}`;
  const owner = await logInAs(api, 'owner');
  const viewer = await logInAs(api, 'viewer');
  const { secret: readOnly } = await addAccountKey(orm, { userId: viewer.userId });
  const own = `${path}/members/${viewer.userId}`;
  isProblem(t, await api.call('delete', own, { key: readOnly }), 'forbidden');
  t.is((await viewer.call('delete', own)).status, 204);
  isProblem(t, await viewer.call('get', path), 'not_found');
  const last = `${path}/members/${owner.userId}`;
  isProblem(t, await owner.call('delete', last), 'last_owner');
  isProblem(t, await owner.call('patch', last, { role: 'admin' }), 'last_owner');
  t.is((await owner.call('patch', last, { role: 'owner' })).status, 200);
});

testOnEachDatabase('two owners who go at once leave one behind', async (t, orm) => {
  const api = await startApi(t, orm);
  const { organizationId } = api.owner;
  const members = `${organizations}/${organizationId}/members`;
  for (let round = 0; round < 5; round += 1) {
    await orm.em.fork().nativeDelete(MembershipEntity, { organizationId });
    const [ada, grace] = [await logInAs(api, 'owner'), await logInAs(api, 'owner')];
    const answers = await Promise.all([
      ada.call('delete', `${members}/${ada.userId}`),
      grace.call('patch', `${members}/${grace.userId}`, { role: 'viewer' }),
    ]);
    const refused = answers.filter(({ body }) => body?.code === 'last_owner');
    t.is(refused.length, 1, answers.map(({ text }) => text).join());
    const owners = { organizationId, role: 'owner' as const };
    t.is(await orm.em.fork().count(MembershipEntity, owners), 1);
  }
});

testOnEachDatabase('members come page by page', async (t, orm) => {
  const api = await startApi(t, orm);
  const { organizationId } = api.owner;
  const ids: string[] = [];
  for (let i = 0; i < 5; i += 1) ids.push((await logInAs(api, 'viewer')).userId);
  await logInAs(api, 'owner', api.stranger.organizationId);
  const seen: string[] = [];
  let cursor = '';
  do {
    const path = `${organizations}/${organizationId}/members?limit=2${cursor && `&cursor=${cursor}`}`;
    const { body } = await api.own('get', path);
    seen.push(...body.members.map(({ userId }: { userId: string }) => userId));
    cursor = body.nextCursor ?? '';
  } while (cursor);
  t.deepEqual(seen, ids.sort());
});
