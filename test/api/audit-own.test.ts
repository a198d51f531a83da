/** The audit log as a person reads what concerns themselves, and what of their refused tries is noted. */
import { logIn } from '../../src/accounts/log-in.ts';
import { createAccountThrottle } from '../../src/accounts/throttle.ts';
import { AuditEntryEntity } from '../../src/store/entities/audit-entry.ts';
import { InstanceEntity } from '../../src/store/entities/instance.ts';
import { type Answer, type Api, newInstance, startApi } from '../support/api.ts';
import { testOnEachDatabase } from '../support/databases.ts';
import { addAccountKey, addPerson, addSession, logInAs } from '../support/people.ts';
import { testPorts } from '../support/ports.ts';
import { isProblem } from '../support/problems.ts';
import { addInstance, addOrganization } from '../support/rows.ts';
import { testConfig } from '../support/test-config.ts';

const audit = '/api/v1/audit';

interface Entry {
  readonly action: string;
  readonly outcome: string;
  readonly organizationId: string | null;
  readonly actor: { readonly kind: string; readonly id: string | null };
  readonly targetId: string | null;
  readonly ip: string | null;
  readonly details: { readonly code?: string };
}

function entriesOf({ body }: Answer): Entry[] {
  return body.entries;
}

function actionsOf(answer: Answer): string[] {
  return entriesOf(answer).map(({ action }) => action);
}

/** Somebody tries to get into a person's account. */
async function failLogIn({ orm, clock }: Api, email: string): Promise<void> {
  const services = { orm, clock, config: testConfig(), accountThrottle: createAccountThrottle() };
  const origin = { ip: '203.0.113.9', requestId: null };
  await logIn(services, origin, { email, password: 'wrong' }).catch(() => {});
}

testOnEachDatabase('a person reads what they did and what was done to them', async (t, orm) => {
  const api = await startApi(t, orm);
  const { organizationId } = api.owner;
  const grace = await logInAs(api, 'developer');
  const ada = await logInAs(api, 'admin');
  await failLogIn(api, grace.email);
  api.clock.advance(1);
  t.is((await grace.call('post', '/api/v1/organizations', { name: 'mine' })).status, 201);
  api.clock.advance(1);
  const path = `/api/v1/organizations/${organizationId}/members/${grace.userId}`;
  t.is((await ada.call('patch', path, { role: 'viewer' })).status, 200);
  const own = await grace.call('get', audit);
  t.deepEqual(actionsOf(own), ['member.update', 'organization.create', 'session.log-in']);
  const [given, made, failed] = entriesOf(own);
  t.like(failed, { outcome: 'refused', ip: '203.0.113.9', targetId: grace.userId });
  t.like(made, { actor: { kind: 'user', id: grace.userId }, ip: '127.0.0.1' });
  // From where an admin called is for the organization's admins.
  t.like(given, { actor: { kind: 'user', id: ada.userId }, ip: null, requestId: null });
  t.deepEqual(actionsOf(await grace.call('get', `${audit}?outcome=refused`)), ['session.log-in']);
  const whole = await ada.call('get', `${audit}?organizationId=${organizationId}`);
  t.is(entriesOf(whole)[0]?.ip, '127.0.0.1');
  t.deepEqual(actionsOf(await ada.call('get', audit)), ['member.update']);
});

testOnEachDatabase('nobody but the person reads their own entries', async (t, orm) => {
  const api = await startApi(t, orm);
  const { userId, email } = await addPerson(orm);
  await failLogIn(api, email);
  for (const role of ['viewer', 'developer'] as const) {
    const { secret: key } = await addAccountKey(orm, { userId, role });
    isProblem(t, await api.call('get', audit, { key }), 'forbidden');
  }
  const { secret: key } = await addAccountKey(orm, { userId, role: 'owner' });
  t.deepEqual(actionsOf(await api.call('get', audit, { key })), ['session.log-in']);
  isProblem(t, await api.own('get', audit), 'person_needed');
  isProblem(t, await api.call('get', audit), 'authentication_required');
  const other = await logInAs(api, 'owner');
  t.deepEqual(entriesOf(await other.call('get', `${audit}?targetId=${userId}`)), []);
});

testOnEachDatabase("what another site's page tried with a session is noted", async (t, orm) => {
  const api = await startApi(t, orm);
  const { organizationId } = api.owner;
  const { userId } = await addPerson(orm, { [organizationId]: 'owner' });
  const session = await addSession(orm, userId, api.clock.now());
  const path = `/api/v1/organizations/${organizationId}`;
  const send = (secret: string, method: string, to: string): Promise<Answer> => {
    const Cookie = `__Host-swiftcache-session=${secret}`;
    const headers = { Cookie, 'Sec-Fetch-Site': 'cross-site' };
    const body = method === 'patch' ? { name: 'renamed' } : undefined;
    return api.call(method, to, { headers, body });
  };
  isProblem(t, await send(session, 'patch', path), 'session_refused');
  isProblem(t, await send(session, 'post', '/api/v1/auth/log-out'), 'session_refused');
  isProblem(t, await send('A'.repeat(43), 'patch', path), 'session_refused');
  const entries = await orm.em.fork().find(AuditEntryEntity, { outcome: 'refused' });
  const noted = entries.map(({ action, actorId, details }) => [action, actorId, details.code]);
  t.deepEqual(noted.sort(), [
    ['organization.update', userId, 'session_refused'],
    ['session.log-out', userId, 'session_refused'],
  ]);
});

testOnEachDatabase('what had no room or was changed meanwhile is noted', async (t, orm) => {
  const ports = testPorts();
  const capacity = { ...ports.capacity, regionMib: async () => 1 };
  const api = await startApi(t, orm, { capacity });
  const { organizationId, secret: key } = api.owner;
  // Of several organizations, the one that was meant has the entry.
  const { id: other } = await addOrganization(orm);
  const ada = await logInAs(api, 'owner');
  isProblem(t, await api.own('post', '/api/v1/instances', newInstance(api.owner)), 'region_full');
  const path = `/api/v1/organizations/${organizationId}`;
  const { userId } = await addPerson(orm, { [organizationId]: 'owner', [other]: 'owner' });
  const { secret: personal } = await addAccountKey(orm, { userId, role: 'owner' });
  const headers = { 'If-Match': '"another"' };
  const stale = { key: personal, headers, body: { name: 'x' } };
  isProblem(t, await api.call('patch', path, stale), 'changed_meanwhile');
  const repeat = (role: string): Promise<Answer> => {
    const options = { key, headers: { 'Idempotency-Key': 'one' }, body: { role } };
    return api.call('post', `${path}/invitations`, options);
  };
  t.is((await repeat('viewer')).status, 201);
  isProblem(t, await repeat('developer'), 'idempotency_key_reused');
  const { id } = await addInstance(orm, { organizationId, status: 'RUNNING' });
  const retry = `/api/v1/instances/${id}/retry`;
  isProblem(t, await api.call('post', retry, { key: personal }), 'state_conflict');
  const noted = await ada.call('get', `${audit}?organizationId=${organizationId}&outcome=refused`);
  t.deepEqual(
    entriesOf(noted)
      .map(({ details }) => details.code)
      .sort(),
    ['changed_meanwhile', 'idempotency_key_reused', 'region_full', 'state_conflict'],
  );
  t.is(await orm.em.fork().count(InstanceEntity), 1);
});
