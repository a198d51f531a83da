/** People: signing up and logging in. */
import { newId } from '../../src/lib/ids.ts';
import { AuditEntryEntity } from '../../src/store/entities/audit-entry.ts';
import { MembershipEntity } from '../../src/store/entities/membership.ts';
import { UserEntity } from '../../src/store/entities/user.ts';
import { type Answer, type Api, type CallOptions, startApi } from '../support/api.ts';
import { testOnEachDatabase } from '../support/databases.ts';
import { addInvitation, addPerson, password, sessionHeaders } from '../support/people.ts';
import { isProblem } from '../support/problems.ts';
import { dumpDatabase } from '../support/rows.ts';
import { testConfig } from '../support/test-config.ts';

const signUpPath = '/api/v1/auth/sign-up';
const logInPath = '/api/v1/auth/log-in';
const sessionPath = '/api/v1/auth/session';

const ada = { email: 'Ada@Example.com', password, name: 'Ada' };

/** The session's secret in an answer's cookie. */
function secretOf({ headers }: Answer): string {
  return /^__Host-swiftcache-session=([^;]*)/.exec(headers.get('Set-Cookie') ?? '')?.[1] ?? '';
}

function get(api: Api, secret: string, options: CallOptions = {}): Promise<Answer> {
  return api.call('get', sessionPath, { headers: sessionHeaders(secret), ...options });
}

testOnEachDatabase('who signs up owns an organization on the plan free', async (t, orm) => {
  const api = await startApi(t, orm);
  const answer = await api.call('post', signUpPath, { body: ada });
  t.is(answer.status, 201, answer.text);
  t.like(answer.body.user, { email: 'ada@example.com', name: 'Ada' });
  t.like(answer.body.organization, { name: 'Ada', role: 'owner', plan: 'free' });
  t.notRegex(answer.text, /password|argon/i);
  const session = await get(api, secretOf(answer));
  t.is(session.status, 200);
  t.deepEqual(session.body, {
    user: answer.body.user,
    organizations: [answer.body.organization],
  });
  const { id } = answer.body.organization;
  const body = { organizationId: id, name: 'c', maxMemory: 2 ** 26, region: 'eu-central' };
  const headers = sessionHeaders(secretOf(answer));
  t.is((await api.call('post', '/api/v1/instances', { headers, body })).status, 201);
});

testOnEachDatabase('nothing secret of a person is kept as it is', async (t, orm) => {
  const api = await startApi(t, orm);
  const answer = await api.call('post', signUpPath, { body: ada });
  const rows = await dumpDatabase(orm);
  t.regex(rows, /\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  t.false(rows.includes(password));
  t.false(rows.includes(secretOf(answer)));
  t.false(api.log().includes(password));
  t.false(api.log().includes(secretOf(answer)));
});

testOnEachDatabase('one address signs up once, however it is written', async (t, orm) => {
  const api = await startApi(t, orm);
  const answers = await Promise.all(
    ['ada@example.com', 'ADA@example.COM'].map((email) => {
      return api.call('post', signUpPath, { body: { ...ada, email } });
    }),
  );
  const refused = answers.find(({ status }) => status !== 201);
  t.is(answers.filter(({ status }) => status === 201).length, 1);
  if (refused) isProblem(t, refused, 'email_taken');
  t.is(await orm.em.fork().count(UserEntity), 1);
  t.is(await orm.em.fork().count(MembershipEntity), 1);
});

testOnEachDatabase('sign-up obeys the operator', async (t, orm) => {
  const owner = await startApi(t, orm);
  const config = (signUp: string) => ({ config: testConfig({ SWIFTCACHE_SIGN_UP: signUp }) });
  const closed = await startApi(t, orm, config('closed'));
  const invited = await startApi(t, orm, config('invited'));
  const { organizationId } = owner.owner;
  const { secret: invitation } = await addInvitation(orm, organizationId, { role: 'viewer' });
  for (const body of [ada, { ...ada, invitation }]) {
    isProblem(t, await closed.call('post', signUpPath, { body }), 'sign_up_closed');
  }
  isProblem(t, await invited.call('post', signUpPath, { body: ada }), 'sign_up_closed');
  const wrong = { ...ada, invitation: 'A'.repeat(43) };
  isProblem(t, await invited.call('post', signUpPath, { body: wrong }), 'invitation_invalid');
  t.is(await orm.em.fork().count(UserEntity), 0);
  const answer = await invited.call('post', signUpPath, { body: { ...ada, invitation } });
  t.is(answer.status, 201, answer.text);
  t.like(answer.body.organization, { id: organizationId, role: 'viewer' });
});

testOnEachDatabase('what cannot be an account is refused by its fields', async (t, orm) => {
  const { call } = await startApi(t, orm);
  const bad: [object, string][] = [
    [{ email: 'nobody' }, '/email'],
    [{ email: `${'a'.repeat(250)}@example.com` }, '/email'],
    [{ password: 'too short' }, '/password'],
    [{ password: '🔑'.repeat(9) }, '/password'],
    [{ password: 'x'.repeat(201) }, '/password'],
    [{ password: `${password}\ud800` }, '/password'],
    [{ name: '' }, '/name'],
    [{ role: 'owner' }, '/role'],
    [{ organizationName: 'a\u0000b' }, '/organizationName'],
  ];
  for (const [change, pointer] of bad) {
    const answer = await call('post', signUpPath, { body: { ...ada, ...change } });
    isProblem(t, answer, 'invalid_request');
    t.is(answer.body.errors[0].pointer, pointer);
  }
  const body = { ...ada, password: '🔑'.repeat(200) };
  t.is((await call('post', signUpPath, { body })).status, 201);
});

testOnEachDatabase('the session cookie is for this host, TLS and no script', async (t, orm) => {
  const api = await startApi(t, orm);
  const { email } = await addPerson(orm);
  const first = await api.call('post', logInPath, { body: { email, password } });
  const cookie = first.headers.get('Set-Cookie') ?? '';
  t.regex(cookie, /^__Host-swiftcache-session=[\w-]{43}; /);
  const attributes = cookie.split('; ').slice(1).sort();
  t.deepEqual(attributes, ['HttpOnly', 'Max-Age=604800', 'Path=/', 'SameSite=Lax', 'Secure']);
  const second = await api.call('post', logInPath, { body: { email, password } });
  t.not(secretOf(first), secretOf(second));
  t.is((await get(api, secretOf(first))).status, 200);
  t.is((await get(api, secretOf(second))).status, 200);
});

testOnEachDatabase(
  'an unknown address and a wrong password give the same answer and an audit entry without it',
  async (t, orm) => {
    const api = await startApi(t, orm);
    const { userId, email } = await addPerson(orm);
    const wrong = await api.call('post', logInPath, { body: { email, password: 'wrong' } });
    const body = { email: 'ghost@example.com', password: 'wrong' };
    const unknown = await api.call('post', logInPath, { body });
    for (const answer of [wrong, unknown]) {
      isProblem(t, answer, 'wrong_credentials');
      t.is(answer.headers.get('Set-Cookie'), null);
    }
    t.deepEqual({ ...wrong.body, requestId: '' }, { ...unknown.body, requestId: '' });
    const entries = await orm.em.fork().find(AuditEntryEntity, { action: 'session.log-in' });
    t.deepEqual(entries.map(({ targetId }) => targetId ?? null).sort(), [null, userId].sort());
    for (const entry of entries) {
      t.like(entry, { actorKind: 'anonymous', outcome: 'refused', ip: '127.0.0.1' });
      t.falsy(entry.organizationId);
      t.notRegex(JSON.stringify(entry), /@example/);
    }
  },
);

testOnEachDatabase('after five wrong tries an address has to wait', async (t, orm) => {
  const api = await startApi(t, orm);
  const { email } = await addPerson(orm);
  const { email: other } = await addPerson(orm);
  const tryOne = (secret: string, whom = email): Promise<Answer> => {
    return api.call('post', logInPath, { body: { email: whom, password: secret } });
  };
  // All at once: whoever waits for no answer gets no more tries than others.
  const answers = await Promise.all(Array.from({ length: 8 }, () => tryOne('wrong')));
  const statuses = answers.map(({ status }) => status).sort();
  t.deepEqual(statuses, [401, 401, 401, 401, 401, 429, 429, 429]);
  const refused = await tryOne(password);
  isProblem(t, refused, 'rate_limited');
  const waitSeconds = Number(refused.headers.get('Retry-After'));
  t.true(waitSeconds > 0 && waitSeconds <= 60);
  t.is((await tryOne(password, other)).status, 200);
});

testOnEachDatabase('log-ins that succeed are not held back', async (t, orm) => {
  const api = await startApi(t, orm);
  const { email } = await addPerson(orm);
  for (let i = 0; i < 7; i += 1) {
    t.is((await api.call('post', logInPath, { body: { email, password } })).status, 200);
  }
});

testOnEachDatabase('sign-ups of one address in the network are bounded', async (t, orm) => {
  const api = await startApi(t, orm);
  await addPerson(orm, {});
  const statuses: number[] = [];
  for (let i = 0; i < 31; i += 1) {
    // An invitation that is none costs no rows.
    const body = { ...ada, email: `${newId('user')}@example.com`, invitation: 'none' };
    statuses.push((await api.call('post', signUpPath, { body })).status);
  }
  t.deepEqual(
    statuses.slice(0, 30),
    Array.from({ length: 30 }, () => 404),
  );
  t.is(statuses[30], 429);
});

testOnEachDatabase('a hash made with less work is made anew at log-in', async (t, orm) => {
  const api = await startApi(t, orm);
  const { hash } = await import('@node-rs/argon2');
  const old = await hash(password, { memoryCost: 1024, timeCost: 1, parallelism: 1 });
  const { userId, email } = await addPerson(orm, {}, old);
  for (let i = 0; i < 2; i += 1) {
    t.is((await api.call('post', logInPath, { body: { email, password } })).status, 200);
    const { passwordHash } = await orm.em.fork().findOneOrFail(UserEntity, { id: userId });
    t.regex(passwordHash, /m=19456,t=2,p=1/);
  }
});

testOnEachDatabase('a password is the same in another Unicode form', async (t, orm) => {
  const { call } = await startApi(t, orm);
  const composed = 'caf\u00e9 caf\u00e9 caf\u00e9';
  t.is((await call('post', signUpPath, { body: { ...ada, password: composed } })).status, 201);
  const body = { email: ada.email, password: composed.normalize('NFD') };
  t.is((await call('post', logInPath, { body })).status, 200);
});
