/** Account keys: whose they are, what they may do, and that none is made beyond its maker. */
import { AccountKeyEntity } from '../../src/store/entities/account-key.ts';
import { AuditEntryEntity } from '../../src/store/entities/audit-entry.ts';
import { MembershipEntity, type Role } from '../../src/store/entities/membership.ts';
import { type Answer, type Api, startApi } from '../support/api.ts';
import { testOnEachDatabase } from '../support/databases.ts';
import { addAccountKey, addPerson, logInAs } from '../support/people.ts';
import { isProblem } from '../support/problems.ts';
import { dumpDatabase } from '../support/rows.ts';

const keys = '/api/v1/account-keys';

function createdSecret({ body }: Answer): string {
  return body.createdAccountKey?.plainTextKey ?? '';
}

/** Whether a key may read, and whether it may change, in the owner's organization. */
async function mayDo({ owner, call }: Api, key: string): Promise<{ read: number; make: number }> {
  const { organizationId } = owner;
  const body = { organizationId, name: 'c', maxMemory: 2 ** 26, region: 'eu-central' };
  const { status: read } = await call('get', `/api/v1/organizations/${organizationId}`, { key });
  const { status: make } = await call('post', '/api/v1/instances', { key, body });
  return { read, make };
}

testOnEachDatabase(
  'a key is shown once, works at once, and is listed without it',
  async (t, orm) => {
    const api = await startApi(t, orm);
    const { organizationId } = api.owner;
    const created = await api.own('post', keys, { organizationId, name: 'deploy' });
    t.is(created.status, 201, created.text);
    const secret = createdSecret(created);
    t.regex(secret, /^sk_live_[0-9a-f]{48}$/);
    t.like(created.body.createdAccountKey, { role: 'owner', scope: 'full', lastUsed: null });
    t.false((await dumpDatabase(orm)).includes(secret));
    t.false(api.log().includes(secret));
    t.deepEqual(await mayDo(api, secret), { read: 200, make: 201 });
    const list = await api.own('get', `${keys}?organizationId=${organizationId}`);
    const { plainTextKey: _, ...shown } = created.body.createdAccountKey;
    const listed = list.body.accountKeys.find(({ id }: { id: string }) => id === shown.id);
    t.deepEqual(listed, { ...shown, lastUsed: api.clock.now().toISOString() });
    t.false(list.text.includes('sk_live'));
    const path = created.headers.get('Location') ?? '';
    t.deepEqual((await api.own('get', path)).body.accountKey, listed);
  },
);

testOnEachDatabase('a read-only key reads and changes nothing', async (t, orm) => {
  const api = await startApi(t, orm);
  const { organizationId } = api.owner;
  const wishes = [
    { scope: 'read-only' },
    { role: 'viewer' },
    { scope: 'read-only', role: 'owner' },
  ];
  for (const wish of wishes) {
    const created = await api.own('post', keys, { organizationId, name: 'reader', ...wish });
    t.like(created.body.createdAccountKey, { role: 'viewer', scope: 'read-only' });
    t.deepEqual(await mayDo(api, createdSecret(created)), { read: 200, make: 403 });
  }
});

testOnEachDatabase('a key ends when it expires', async (t, orm) => {
  const api = await startApi(t, orm);
  const { organizationId } = api.owner;
  const wish = { organizationId, name: 'short', expiresAt: '2024-01-15T12:30:00+01:00' };
  const created = await api.own('post', keys, wish);
  t.is(created.body.createdAccountKey.expiresAt, '2024-01-15T11:30:00.000Z');
  const key = createdSecret(created);
  api.clock.advance(3_599_999);
  t.is((await mayDo(api, key)).read, 200);
  api.clock.advance(1);
  t.is((await mayDo(api, key)).read, 401);
  const past = await api.own('post', keys, wish);
  isProblem(t, past, 'invalid_request');
  t.is(past.body.errors[0].pointer, '/expiresAt');
});

testOnEachDatabase('nobody makes a key beyond their own role', async (t, orm) => {
  const api = await startApi(t, orm);
  const { organizationId } = api.owner;
  const { secret: admin } = await addAccountKey(orm, { organizationId, role: 'admin' });
  const { id: ownerKeyId } = await addAccountKey(orm, { organizationId, role: 'owner' });
  const before = await orm.em.fork().count(AccountKeyEntity);
  const body = { organizationId, name: 'more', role: 'owner' };
  isProblem(t, await api.call('post', keys, { key: admin, body }), 'forbidden');
  isProblem(t, await api.call('delete', `${keys}/${ownerKeyId}`, { key: admin }), 'forbidden');
  const rename = { key: admin, body: { name: 'mine' } };
  isProblem(t, await api.call('patch', `${keys}/${ownerKeyId}`, rename), 'forbidden');
  t.is(await orm.em.fork().count(AccountKeyEntity), before);
  const own = await api.call('post', keys, { key: admin, body: { organizationId, name: 'own' } });
  t.is(own.body.createdAccountKey.role, 'admin');
});

testOnEachDatabase(
  'a personal key acts as its person, never beyond its own role',
  async (t, orm) => {
    const api = await startApi(t, orm);
    const { organizationId } = api.owner;
    const grace = await logInAs(api, 'developer');
    const keyWith = async (role: Role): Promise<string> => {
      return createdSecret(await grace.call('post', keys, { name: role, role }));
    };
    const [full, reader] = [await keyWith('owner'), await keyWith('viewer')];
    t.deepEqual(await mayDo(api, full), { read: 200, make: 201 });
    t.deepEqual(await mayDo(api, reader), { read: 200, make: 403 });
    const wish = { key: full, body: { organizationId, name: 'for all' } };
    isProblem(t, await api.call('post', keys, wish), 'forbidden');
    const member = { organizationId, userId: grace.userId };
    await orm.em.fork().nativeUpdate(MembershipEntity, member, { role: 'viewer' });
    t.deepEqual(await mayDo(api, full), { read: 200, make: 403 });
    await orm.em.fork().nativeDelete(MembershipEntity, member);
    t.deepEqual(await mayDo(api, full), { read: 404, make: 404 });
    t.is((await api.call('get', '/api/v1/auth/session', { key: reader })).status, 200);
  },
);

testOnEachDatabase(
  "a person's lesser key reads and changes nothing of the person's",
  async (t, orm) => {
    const api = await startApi(t, orm);
    const { userId } = await addPerson(orm);
    const before = await orm.em.fork().count(AccountKeyEntity);
    const { id: victim } = await addAccountKey(orm, { userId, role: 'admin' });
    for (const role of ['viewer', 'developer'] as const) {
      const { secret: key, id } = await addAccountKey(orm, { userId, role });
      const tries: [string, string, object?][] = [
        ['post', keys, { name: 'more', role: 'owner' }],
        ['post', keys, { name: 'same', role }],
        ['delete', `${keys}/${victim}`],
        ['patch', `${keys}/${victim}`, { name: 'mine' }],
        ['get', keys],
        ['get', `${keys}/${victim}`],
        ['post', '/api/v1/organizations', { name: 'another' }],
        ['post', '/api/v1/auth/password', { currentPassword: 'x', newPassword: 'y'.repeat(10) }],
      ];
      for (const [method, path, body] of tries) {
        isProblem(t, await api.call(method, path, { key, body }), 'forbidden');
      }
      t.is((await api.call('delete', `${keys}/${id}`, { key })).status, 204);
    }
    const { secret: admin } = await addAccountKey(orm, { userId, role: 'admin' });
    const body = { name: 'more', role: 'owner' };
    isProblem(t, await api.call('post', keys, { key: admin, body }), 'forbidden');
    t.is((await api.call('get', keys, { key: admin })).status, 200);
    t.is(await orm.em.fork().count(AccountKeyEntity), before + 2);
  },
);

testOnEachDatabase("personal keys are their person's own affair", async (t, orm) => {
  const api = await startApi(t, orm);
  const [grace, owner] = [await logInAs(api, 'developer'), await logInAs(api, 'owner')];
  const created = await grace.call('post', keys, { name: 'mine' });
  const path = created.headers.get('Location') ?? '';
  t.is((await grace.call('get', keys)).body.accountKeys.length, 1);
  t.deepEqual((await owner.call('get', keys)).body.accountKeys, []);
  for (const method of ['get', 'delete']) isProblem(t, await owner.call(method, path), 'not_found');
  isProblem(t, await api.own('post', keys, { name: 'whose' }), 'person_needed');
  isProblem(t, await api.own('get', keys), 'person_needed');
  t.is((await grace.call('delete', path)).status, 204);
  t.is((await mayDo(api, createdSecret(created))).read, 401);
});

testOnEachDatabase('a key may look at itself and remove itself, no other', async (t, orm) => {
  const api = await startApi(t, orm);
  const { organizationId } = api.owner;
  const { id, secret: key } = await addAccountKey(orm, { organizationId, role: 'viewer' });
  const { id: other } = await addAccountKey(orm, { organizationId, role: 'viewer' });
  t.is((await api.call('get', `${keys}/${id}`, { key })).body.accountKey.id, id);
  isProblem(t, await api.call('get', `${keys}/${other}`, { key }), 'forbidden');
  isProblem(t, await api.call('delete', `${keys}/${other}`, { key }), 'forbidden');
  t.is((await api.call('delete', `${keys}/${id}`, { key })).status, 204);
  t.is((await mayDo(api, key)).read, 401);
  const entry = { action: 'account-key.delete', outcome: 'done' as const };
  t.like(await orm.em.fork().findOneOrFail(AuditEntryEntity, entry), { targetId: id, actorId: id });
});

testOnEachDatabase('a rename needs the present ETag where it names one', async (t, orm) => {
  const api = await startApi(t, orm);
  const { organizationId } = api.owner;
  const { id } = await addAccountKey(orm, { organizationId });
  const etag = (await api.own('get', `${keys}/${id}`)).headers.get('ETag') ?? '';
  const rename = (name: string): Promise<Answer> => {
    const headers = { 'If-Match': etag };
    return api.call('patch', `${keys}/${id}`, { key: api.owner.secret, headers, body: { name } });
  };
  t.is((await rename('first')).body.accountKey.name, 'first');
  isProblem(t, await rename('second'), 'changed_meanwhile');
});

testOnEachDatabase('there are a hundred keys at most, also by requests at once', async (t, orm) => {
  const api = await startApi(t, orm);
  const { organizationId } = api.owner;
  const grace = await logInAs(api);
  for (let i = 0; i < 97; i += 1) await addAccountKey(orm, { organizationId });
  for (let i = 0; i < 98; i += 1) await addAccountKey(orm, { userId: grace.userId });
  const four = Array.from({ length: 4 }, (_, i) => ({ name: `key ${i}` }));
  const ofOrganization = four.map((body) => api.own('post', keys, { organizationId, ...body }));
  const ofPerson = four.map((body) => grace.call('post', keys, body));
  for (const answers of [await Promise.all(ofOrganization), await Promise.all(ofPerson)]) {
    const statuses = answers.map(({ status }) => status).sort();
    t.deepEqual(statuses, [201, 201, 402, 402]);
  }
});
