/** Sessions: how long they last, and what other sites' pages can do with them. */
import type { ExecutionContext } from 'ava';
import { removeExpiredSessions } from '../../src/accounts/sessions.ts';
import { SessionEntity } from '../../src/store/entities/user.ts';
import { type Answer, type Api, type CallOptions, startApi } from '../support/api.ts';
import { testOnEachDatabase } from '../support/databases.ts';
import { addPerson, addSession, password, sessionHeaders } from '../support/people.ts';
import { isProblem } from '../support/problems.ts';

const logInPath = '/api/v1/auth/log-in';
const sessionPath = '/api/v1/auth/session';
const hourMs = 3_600_000;

function get(api: Api, secret: string, options: CallOptions = {}): Promise<Answer> {
  return api.call('get', sessionPath, { headers: sessionHeaders(secret), ...options });
}

testOnEachDatabase('a log-out ends the session, with and without one', async (t, orm) => {
  const api = await startApi(t, orm);
  const { userId } = await addPerson(orm);
  const secret = await addSession(orm, userId, api.clock.now());
  const out = await api.call('post', '/api/v1/auth/log-out', { headers: sessionHeaders(secret) });
  t.is(out.status, 204);
  t.is(out.text, '');
  t.regex(out.headers.get('Set-Cookie') ?? '', /^__Host-swiftcache-session=; .*Max-Age=0;/);
  isProblem(t, await get(api, secret), 'authentication_required');
  t.is((await api.call('post', '/api/v1/auth/log-out')).status, 204);
  t.is(await orm.em.fork().count(SessionEntity), 0);
});

testOnEachDatabase('a session ends 12 hours after its last use', async (t, orm) => {
  const api = await startApi(t, orm);
  const { userId } = await addPerson(orm);
  const secret = await addSession(orm, userId, api.clock.now());
  for (let i = 0; i < 3; i += 1) {
    api.clock.advance(11.9 * hourMs);
    t.is((await get(api, secret)).status, 200);
  }
  api.clock.advance(12 * hourMs);
  isProblem(t, await get(api, secret), 'authentication_required');
  await removeExpiredSessions({ orm, clock: api.clock });
  t.is(await orm.em.fork().count(SessionEntity), 0);
});

testOnEachDatabase('a session ends after 7 days, however busy it is', async (t, orm) => {
  const api = await startApi(t, orm);
  const { userId } = await addPerson(orm);
  const secret = await addSession(orm, userId, api.clock.now());
  for (let i = 0; i < 14; i += 1) {
    api.clock.advance(11 * hourMs);
    t.is((await get(api, secret)).status, 200);
  }
  await removeExpiredSessions({ orm, clock: api.clock });
  t.is((await get(api, secret)).status, 200);
  api.clock.advance(7 * 24 * hourMs - 14 * 11 * hourMs);
  isProblem(t, await get(api, secret), 'authentication_required');
});

testOnEachDatabase('the last use is written at most once a minute', async (t, orm) => {
  const api = await startApi(t, orm);
  const { userId } = await addPerson(orm);
  const secret = await addSession(orm, userId, api.clock.now());
  const read = async (): Promise<number> => {
    await get(api, secret);
    const { lastUsedAt } = await orm.em.fork().findOneOrFail(SessionEntity, { userId });
    return lastUsedAt.getTime();
  };
  const start = api.clock.now().getTime();
  api.clock.advance(59_000);
  t.is(await read(), start);
  api.clock.advance(2_000);
  t.is(await read(), start + 61_000);
});

testOnEachDatabase(
  'a new password ends the other sessions and the old password',
  async (t, orm) => {
    const api = await startApi(t, orm);
    const { userId, email } = await addPerson(orm);
    const kept = await addSession(orm, userId, api.clock.now());
    const other = await addSession(orm, userId, api.clock.now());
    const change = (currentPassword: string): Promise<Answer> => {
      const body = { currentPassword, newPassword: 'another password' };
      return api.call('post', '/api/v1/auth/password', { headers: sessionHeaders(kept), body });
    };
    isProblem(t, await change('wrong'), 'wrong_credentials');
    t.is((await get(api, other)).status, 200);
    t.is((await change(password)).status, 204);
    t.is((await get(api, kept)).status, 200);
    isProblem(t, await get(api, other), 'authentication_required');
    isProblem(
      t,
      await api.call('post', logInPath, { body: { email, password } }),
      'wrong_credentials',
    );
    const body = { email, password: 'another password' };
    t.is((await api.call('post', logInPath, { body })).status, 200);
  },
);

/** Calls as a browser with a session would, from pages of this and of other sites. */
async function eachSite(
  t: ExecutionContext,
  api: Api,
  send: (headers: Record<string, string>) => Promise<Answer>,
  wanted: { own: number; silent: number },
): Promise<void> {
  const { host } = new URL(api.url);
  const own = [
    { 'Sec-Fetch-Site': 'same-origin' },
    { 'Sec-Fetch-Site': 'none' },
    { Origin: api.url },
    { Origin: `https://${host}` },
  ];
  for (const headers of own)
    t.is((await send(headers)).status, wanted.own, JSON.stringify(headers));
  const foreign = [
    { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site' },
    { 'Sec-Fetch-Site': 'cross-site', Origin: api.url },
    { Origin: 'https://evil.example' },
    { Origin: 'null' },
    { Origin: `${api.url}0` },
    { Origin: `http://${host}.evil.example` },
  ];
  for (const headers of foreign) {
    const answer = await send(headers as Record<string, string>);
    t.is(answer.body?.code, 'session_refused', JSON.stringify(headers));
  }
  t.is((await send({})).status, wanted.silent);
}

testOnEachDatabase("a session changes nothing from another site's pages", async (t, orm) => {
  const api = await startApi(t, orm);
  const { organizationId } = api.owner;
  const { userId } = await addPerson(orm, { [organizationId]: 'owner' });
  const secret = await addSession(orm, userId, api.clock.now());
  const Cookie = `__Host-swiftcache-session=${secret}`;
  const body = { name: 'renamed' };
  const path = `/api/v1/organizations/${organizationId}`;
  const send = (headers: Record<string, string>): Promise<Answer> => {
    return api.call('patch', path, { headers: { Cookie, ...headers }, body });
  };
  await eachSite(t, api, send, { own: 200, silent: 403 });
  const headers = { Cookie, 'Sec-Fetch-Site': 'cross-site' };
  t.is((await api.call('get', path, { headers })).status, 200);
  const out = await api.call('post', '/api/v1/auth/log-out', { headers });
  isProblem(t, out, 'session_refused');
  t.is((await get(api, secret)).status, 200);
});

testOnEachDatabase("another site's pages log nobody in, programs do", async (t, orm) => {
  const api = await startApi(t, orm);
  const { email } = await addPerson(orm);
  await eachSite(
    t,
    api,
    (headers) => api.call('post', logInPath, { headers, body: { email, password } }),
    { own: 200, silent: 200 },
  );
});

testOnEachDatabase('a key counts more than a cookie', async (t, orm) => {
  const api = await startApi(t, orm);
  const { userId } = await addPerson(orm);
  const secret = await addSession(orm, userId, api.clock.now());
  const headers = { Cookie: `__Host-swiftcache-session=${secret}` };
  const path = `/api/v1/organizations/${api.owner.organizationId}`;
  const body = { name: 'renamed' };
  t.is((await api.call('patch', path, { key: api.owner.secret, headers, body })).status, 200);
  isProblem(t, await get(api, secret, { key: 'sk_live_wrong' }), 'invalid_authentication_token');
});

testOnEachDatabase('what is no session of ours is none', async (t, orm) => {
  const api = await startApi(t, orm);
  for (const secret of ['', 'x', 'A'.repeat(43), '%00', "' or 1=1 --", 'A'.repeat(4_000)]) {
    isProblem(t, await get(api, secret), 'authentication_required');
  }
});

testOnEachDatabase('a person has fifty sessions at most; the oldest gives way', async (t, orm) => {
  const api = await startApi(t, orm);
  const { userId, email } = await addPerson(orm);
  const secrets: string[] = [];
  for (let i = 0; i < 52; i += 1) {
    api.clock.advance(1);
    secrets.push(await addSession(orm, userId, api.clock.now()));
  }
  t.is((await api.call('post', logInPath, { body: { email, password } })).status, 200);
  t.is(await orm.em.fork().count(SessionEntity, { userId }), 50);
  t.is((await get(api, secrets[2] ?? '')).status, 401);
  t.is((await get(api, secrets[3] ?? '')).status, 200);
});
