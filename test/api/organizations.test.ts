/** Organizations and their members: who may do what, and what always holds. */
import type { ExecutionContext } from 'ava';
import { planOf } from '../../src/instances/plans.ts';
import type { Orm } from '../../src/store/database.ts';
import { AccountKeyEntity } from '../../src/store/entities/account-key.ts';
import { AuditEntryEntity } from '../../src/store/entities/audit-entry.ts';
import { DataKeyEntity } from '../../src/store/entities/data-key.ts';
import { InstanceEntity } from '../../src/store/entities/instance.ts';
import { InvitationEntity, MembershipEntity } from '../../src/store/entities/membership.ts';
import { type Answer, startApi } from '../support/api.ts';
import { testOnEachDatabase } from '../support/databases.ts';
import { addAccountKey, addInvitation, logInAs } from '../support/people.ts';
import { isProblem } from '../support/problems.ts';
import { addDataKey, addInstance, addOrganization } from '../support/rows.ts';

const organizations = '/api/v1/organizations';

testOnEachDatabase('a person owns ten organizations at most', async (t, orm) => {
  const api = await startApi(t, orm);
  const ada = await logInAs(api);
  const answers: Answer[] = [];
  for (let i = 0; i < 8; i += 1) {
    answers.push(await ada.call('post', organizations, { name: `number ${i}` }));
  }
  // The last four at once: the limit holds all the same.
  const last = Array.from({ length: 4 }, () => ada.call('post', organizations, { name: 'late' }));
  answers.push(...(await Promise.all(last)));
  t.is(answers.filter(({ status }) => status === 201).length, 10);
  const refused = answers.find(({ status }) => status !== 201);
  t.is(refused?.status, 402);
  t.deepEqual(refused?.body.limit, {
    name: 'ownedOrganizations',
    limit: 10,
    used: 10,
    requested: 1,
  });
  const first = await ada.call('get', `${organizations}?limit=7`);
  t.is(first.body.organizations.length, 7);
  const cursor = first.body.nextCursor;
  const second = await ada.call('get', `${organizations}?limit=7&cursor=${cursor}`);
  t.is(second.body.organizations.length, 3);
  t.is(second.body.nextCursor, null);
  t.is(second.headers.get('Set-Cookie'), null);
});

testOnEachDatabase('an organization shows its plan and what is used of it', async (t, orm) => {
  const api = await startApi(t, orm);
  const { organizationId } = api.owner;
  const maxMemoryBytes = 64 * 1024 * 1024;
  await addInstance(orm, { organizationId, maxMemoryBytes });
  await addInstance(orm, { organizationId, maxMemoryBytes, status: 'DELETED' });
  await addDataKey(orm, organizationId);
  const { body } = await api.own('get', `${organizations}/${organizationId}`);
  t.like(body.organization, { id: organizationId, role: 'owner', plan: 'dedicated' });
  // Every limit that plans.json has.
  t.deepEqual(body.organization.limits, planOf('dedicated'));
  t.deepEqual(body.organization.usage, {
    instances: 1,
    memoryBytes: maxMemoryBytes,
    keys: 1,
    operationsInFlight: 0,
    backups: 0,
  });
});

testOnEachDatabase('a rename needs the present ETag where it names one', async (t, orm) => {
  const api = await startApi(t, orm);
  const path = `${organizations}/${api.owner.organizationId}`;
  const etag = (await api.own('get', path)).headers.get('ETag') ?? '';
  const rename = (name: string): Promise<Answer> => {
    const options = { key: api.owner.secret, headers: { 'If-Match': etag }, body: { name } };
    return api.call('patch', path, options);
  };
  const renamed = await rename('first');
  t.is(renamed.body.organization.name, 'first');
  t.not(renamed.headers.get('ETag'), etag);
  isProblem(t, await rename('second'), 'changed_meanwhile');
});

testOnEachDatabase('an organization goes when its instances are gone', async (t, orm) => {
  const api = await startApi(t, orm);
  const { organizationId, secret } = api.owner;
  const path = `${organizations}/${organizationId}`;
  const owner = await logInAs(api, 'owner');
  await addInvitation(orm, organizationId);
  const running = await addInstance(orm, { organizationId });
  await addDataKey(orm, organizationId, {}, [running.id]);
  isProblem(t, await owner.call('delete', path), 'organization_not_empty');
  await orm.em.fork().nativeUpdate(InstanceEntity, { id: running.id }, { status: 'DELETED' });
  t.is((await owner.call('delete', path)).status, 204);
  isProblem(t, await owner.call('get', path), 'not_found');
  isProblem(t, await api.call('get', path, { key: secret }), 'invalid_authentication_token');
  const em = orm.em.fork();
  t.is(await em.count(DataKeyEntity, { organizationId }), 0);
  t.is(await em.count(AccountKeyEntity, { organizationId }), 0);
  t.is(await em.count(InvitationEntity, { organizationId }), 0);
  t.is(await em.count(MembershipEntity, { organizationId }), 0);
  t.deepEqual((await owner.call('get', organizations)).body.organizations, []);
  const action = 'organization.delete';
  t.is(await orm.em.fork().count(AuditEntryEntity, { organizationId, action, outcome: 'done' }), 1);
});

testOnEachDatabase('nothing is made in an organization while it goes', async (t, orm) => {
  const api = await startApi(t, orm);
  const { organizationId } = api.owner;
  const body = { organizationId, name: 'c', maxMemory: 2 ** 26, region: 'eu-central' };
  const answers = await Promise.all([
    api.own('post', '/api/v1/instances', body),
    api.own('delete', `${organizations}/${organizationId}`),
  ]);
  const [created, deleted] = answers.map(({ status }) => status);
  t.true(created === 201 ? deleted === 409 : deleted === 204, `${created}, ${deleted}`);
});

testOnEachDatabase("another organization's things are not there", async (t, orm) => {
  const api = await startApi(t, orm);
  const { organizationId } = api.owner;
  const { id: foreign } = await addOrganization(orm);
  const { userId } = await logInAs(api, 'viewer', foreign);
  const { id: invitationId } = await addInvitation(orm, foreign);
  const { id: accountKeyId } = await addAccountKey(orm, { organizationId: foreign });
  const missing: [string, string, object?][] = [
    ['get', `${organizations}/${foreign}`],
    ['get', `${organizations}/%00`],
    ['patch', `${organizations}/${organizationId}/members/${userId}`, { role: 'viewer' }],
    ['delete', `${organizations}/${organizationId}/members/%00`],
    ['delete', `${organizations}/${organizationId}/invitations/${invitationId}`],
    ['delete', `${organizations}/${organizationId}/invitations/%F0%9F%98%80`],
    ['get', `/api/v1/account-keys/${accountKeyId}`],
    ['delete', `/api/v1/account-keys/${accountKeyId}`],
    ['delete', `/api/v1/account-keys/%00`],
    ['get', `/api/v1/account-keys?organizationId=${foreign}`],
    ['get', `/api/v1/audit?organizationId=${foreign}`],
  ];
  for (const [method, path, body] of missing) {
    isProblem(t, await api.own(method, path, body), 'not_found');
  }
  await stillThere(t, orm, accountKeyId);
});

async function stillThere(t: ExecutionContext, orm: Orm, id: string): Promise<void> {
  t.is(await orm.em.fork().count(AccountKeyEntity, { id }), 1);
}
