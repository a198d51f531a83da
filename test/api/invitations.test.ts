/** Invitations: who may invite whom as what, and that a link lets in one person. */
import type { ExecutionContext } from 'ava';
import { AuditEntryEntity } from '../../src/store/entities/audit-entry.ts';
import { InvitationEntity, MembershipEntity } from '../../src/store/entities/membership.ts';
import { type Answer, type Api, startApi } from '../support/api.ts';
import { testOnEachDatabase } from '../support/databases.ts';
import {
  addAccountKey,
  addInvitation,
  addPerson,
  logInAs,
  type PersonCaller,
  password,
} from '../support/people.ts';
import { isProblem } from '../support/problems.ts';
import { dumpDatabase } from '../support/rows.ts';

const accept = '/api/v1/invitations/accept';

function pathOf({ owner }: Api): string {
  return `/api/v1/organizations/${owner.organizationId}/invitations`;
}

function secretOf({ body }: Answer): string {
  return new URL(body.invitation.link).hash.slice(1);
}

function take(person: PersonCaller, secret: string): Promise<Answer> {
  return person.call('post', accept, { secret });
}

async function isNoMember(t: ExecutionContext, { orm, owner }: Api, userId: string): Promise<void> {
  const { organizationId } = owner;
  t.is(await orm.em.fork().count(MembershipEntity, { organizationId, userId }), 0);
}

testOnEachDatabase('an invitation is a link, shown once, that makes a member', async (t, orm) => {
  const api = await startApi(t, orm);
  const { organizationId } = api.owner;
  const invited = await api.own('post', pathOf(api), { role: 'developer' });
  t.is(invited.status, 201, invited.text);
  const { link, ...shown } = invited.body.invitation;
  t.true(link.startsWith(`${api.url}/invitations#`));
  t.is(shown.expiresAt, '2024-01-22T10:30:00.000Z');
  t.regex(shown.createdBy, /^acct_/);
  const secret = secretOf(invited);
  t.false((await dumpDatabase(orm)).includes(secret));
  t.false(api.log().includes(secret));
  t.deepEqual((await api.own('get', pathOf(api))).body, { invitations: [shown], nextCursor: null });
  const grace = await logInAs(api);
  const answer = await take(grace, secret);
  t.is(answer.status, 200, answer.text);
  t.is(answer.body.role, 'developer');
  t.like(answer.body.organization, { id: organizationId, role: 'developer' });
  const again = await take(grace, secret);
  t.is(again.status, 200);
  isProblem(t, await take(await logInAs(api), secret), 'invitation_invalid');
  const entries = await orm.em.fork().find(AuditEntryEntity, { organizationId, outcome: 'done' });
  t.deepEqual(entries.map(({ action }) => action).sort(), [
    'invitation.accept',
    'invitation.create',
  ]);
});

testOnEachDatabase('of several people who take one link at once, one is let in', async (t, orm) => {
  const api = await startApi(t, orm);
  const { organizationId } = api.owner;
  for (let round = 0; round < 3; round += 1) {
    const { id, secret } = await addInvitation(orm, organizationId);
    const people = await Promise.all([logInAs(api), logInAs(api), logInAs(api)]);
    const answers = await Promise.all(people.map((person) => take(person, secret)));
    const statuses = answers.map(({ status }) => status).sort();
    t.deepEqual(statuses, [200, 404, 404], answers.map(({ text }) => text).join());
    const members = { organizationId, userId: { $in: people.map(({ userId }) => userId) } };
    const [member, ...others] = await orm.em.fork().find(MembershipEntity, members);
    t.is(others.length, 0);
    const { acceptedBy } = await orm.em.fork().findOneOrFail(InvitationEntity, { id });
    t.is(acceptedBy, member?.userId);
  }
});

testOnEachDatabase('a sign-up and a member take one link at once: one has it', async (t, orm) => {
  const api = await startApi(t, orm);
  const { secret } = await addInvitation(orm, api.owner.organizationId);
  const grace = await logInAs(api);
  const body = { email: 'ada@example.com', password, name: 'Ada', invitation: secret };
  const answers = await Promise.all([
    take(grace, secret),
    api.call('post', '/api/v1/auth/sign-up', { body }),
  ]);
  t.is(answers.filter(({ status }) => status < 300).length, 1);
  isProblem(t, answers.find(({ status }) => status >= 300) as Answer, 'invitation_invalid');
});

testOnEachDatabase('one person taking one link twice at once is one member', async (t, orm) => {
  const api = await startApi(t, orm);
  const { secret } = await addInvitation(orm, api.owner.organizationId);
  const grace = await logInAs(api);
  const answers = await Promise.all([take(grace, secret), take(grace, secret)]);
  t.deepEqual(
    answers.map(({ status }) => status),
    [200, 200],
  );
});

testOnEachDatabase('an invitation with an address is for that address', async (t, orm) => {
  const api = await startApi(t, orm);
  const { userId, email } = await addPerson(orm);
  const invited = await api.own('post', pathOf(api), { role: 'admin', email: email.toUpperCase() });
  t.is(invited.body.invitation.email, email);
  const other = await logInAs(api);
  isProblem(t, await take(other, secretOf(invited)), 'invitation_invalid');
  await isNoMember(t, api, other.userId);
  const { secret: key } = await addAccountKey(orm, { userId, role: 'owner' });
  const answer = await api.call('post', accept, { key, body: { secret: secretOf(invited) } });
  t.is(answer.body.role, 'admin');
});

testOnEachDatabase('what is over, revoked or unknown lets nobody in', async (t, orm) => {
  const api = await startApi(t, orm);
  const grace = await logInAs(api);
  const short = await api.own('post', pathOf(api), { role: 'viewer', expiresInHours: 1 });
  const revoked = await api.own('post', pathOf(api), { role: 'viewer' });
  const path = `${pathOf(api)}/${revoked.body.invitation.id}`;
  t.is((await api.own('delete', path)).status, 204);
  isProblem(t, await api.own('delete', path), 'not_found');
  api.clock.advance(3_600_000);
  const secrets = [secretOf(short), secretOf(revoked), 'A'.repeat(43), 'x', '\u0000', ''];
  for (const secret of secrets) isProblem(t, await take(grace, secret), 'invitation_invalid');
  await isNoMember(t, api, grace.userId);
});

testOnEachDatabase('nobody invites above their own role', async (t, orm) => {
  const api = await startApi(t, orm);
  const admin = await logInAs(api, 'admin');
  isProblem(t, await admin.call('post', pathOf(api), { role: 'owner' }), 'forbidden');
  t.is(await orm.em.fork().count(InvitationEntity), 0);
  t.is((await admin.call('post', pathOf(api), { role: 'admin' })).status, 201);
  t.is((await api.own('post', pathOf(api), { role: 'owner' })).status, 201);
});

testOnEachDatabase('a link changes no role of somebody who is a member', async (t, orm) => {
  const api = await startApi(t, orm);
  const viewer = await logInAs(api, 'viewer');
  const owner = await logInAs(api, 'owner');
  const { secret } = await addInvitation(orm, api.owner.organizationId, { role: 'admin' });
  t.is((await take(viewer, secret)).body.role, 'viewer');
  t.is((await take(owner, secret)).body.role, 'owner');
  t.is((await take(await logInAs(api), secret)).body.role, 'admin');
});

testOnEachDatabase("a person's lesser key accepts nothing", async (t, orm) => {
  const api = await startApi(t, orm);
  const { userId } = await addPerson(orm);
  const { secret } = await addInvitation(orm, api.owner.organizationId, { role: 'admin' });
  const { secret: key } = await addAccountKey(orm, { userId, role: 'developer' });
  isProblem(t, await api.call('post', accept, { key, body: { secret } }), 'forbidden');
  await isNoMember(t, api, userId);
});

testOnEachDatabase('open invitations are bounded, and expired ones make room', async (t, orm) => {
  const api = await startApi(t, orm);
  const { organizationId } = api.owner;
  for (let i = 0; i < 100; i += 1) await addInvitation(orm, organizationId);
  const refused = await api.own('post', pathOf(api), { role: 'viewer' });
  isProblem(t, { ...refused, body: { ...refused.body, limit: undefined } }, 'quota_exceeded');
  t.like(refused.body.limit, { name: 'openInvitations', limit: 100, used: 100 });
  api.clock.advance(25 * 3_600_000);
  t.is((await api.own('post', pathOf(api), { role: 'viewer' })).status, 201);
});

testOnEachDatabase('the link leads where the request came to', async (t, orm) => {
  const api = await startApi(t, orm);
  const body = { role: 'viewer' };
  // fetch sets Host itself; without a proxy that is believed, no header says otherwise.
  const headers = { 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'https' };
  const answer = await api.call('post', pathOf(api), { key: api.owner.secret, headers, body });
  t.true(answer.body.invitation.link.startsWith(`${api.url}/`));
});
