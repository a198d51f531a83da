/** Who may call what: every route, every kind of caller, compared with one table. */
import test, { type ExecutionContext } from 'ava';
import { routes } from '../../src/http/routes/index.ts';
import { createAccountSecret, createDataSecret } from '../../src/keys/format.ts';
import { type Answer, type Api, type CallOptions, startApi } from '../support/api.ts';
import { accountRows } from '../support/authorization/accounts.ts';
import { backupRows } from '../support/authorization/backups.ts';
import { addMember } from '../support/authorization/callers.ts';
import { instanceRows } from '../support/authorization/instances.ts';
import { keyRows } from '../support/authorization/keys.ts';
import { metricRows } from '../support/authorization/metrics.ts';
import { operationRows } from '../support/authorization/operations.ts';
import type { Row } from '../support/authorization/row.ts';
import { addThings } from '../support/authorization/things.ts';
import { testOnEachDatabase } from '../support/databases.ts';

const table: Record<string, Row> = {
  ...instanceRows,
  ...operationRows,
  ...keyRows,
  ...accountRows,
  ...metricRows,
  ...backupRows,
};

const instances = '/api/v1/instances';

test('every route has its row in the table, and every row its route', (t) => {
  const names = routes.map(({ method, path }) => `${method} ${path}`);
  t.deepEqual(Object.keys(table).sort(), names.sort());
  t.is(new Set(names).size, names.length);
});

test('the routes that need no key are the few that are meant to', (t) => {
  const open = routes.filter(({ access }) => access === 'public').map(({ path }) => path);
  const auth = ['/api/v1/auth/log-in', '/api/v1/auth/log-out', '/api/v1/auth/sign-up'];
  t.deepEqual(open.sort(), [...auth, '/api/v1/instances/regions', '/healthz', '/readyz']);
});

test('every route that changes something has a name for the audit log', (t) => {
  const changing = routes.filter(({ method, access }) => method !== 'get' && access !== 'public');
  for (const { method, path, action } of changing) {
    t.regex(action ?? '', /^[a-z-]+\.[a-z-]+$/, `${method} ${path}`);
  }
});

const { secret: unknownKey } = createAccountSecret();
const malformedKeys = [
  'Bearer ',
  'Bearer sk_live_',
  'Bearer sk_live_short',
  `Bearer ${unknownKey} ${unknownKey}`,
  `Bearer ${unknownKey.toUpperCase()}`,
  `Bearer ${createDataSecret().secret}`,
  `Basic ${Buffer.from(`x:${unknownKey}`).toString('base64')}`,
  `Token ${unknownKey}`,
  `Bearer "${unknownKey}"`,
  "Bearer ' or 1=1 --",
];

for (const [name, row] of Object.entries(table)) {
  const [method = ''] = name.split(' ');
  const { statuses } = row;

  testOnEachDatabase(`${name} answers each kind of caller as it should`, async (t, orm) => {
    const api = await startApi(t, orm);
    const send = async (credentials: CallOptions): Promise<Answer> => {
      const things = await addThings(orm, api.owner.organizationId);
      const body = row.body?.(things);
      const headers = { ...row.headers, ...credentials.headers };
      return await api.call(method, row.path(things), { body, ...credentials, headers });
    };
    check(t, await send({}), statuses.nobody, 'Authentication required');
    const refusedKeys = [unknownKey, ...malformedKeys, await addMember(api, 'owner', 'expired')];
    for (const key of refusedKeys) {
      check(t, await send({ key }), statuses.nobody, 'Invalid authentication token', String(key));
    }
    t.is((await send({ key: api.stranger.secret })).status, statuses.stranger, 'stranger');
    for (const role of ['viewer', 'developer', 'admin', 'owner'] as const) {
      const { status, text } = await send({ key: await addMember(api, role) });
      t.is(status, statuses[role], `${role}: ${text}`);
    }
    await checkPerson(t, api, send, statuses.person);
  });
}

/** A session's cookie works where the browser says that the service's own page asked, and only there. */
async function checkPerson(
  t: ExecutionContext,
  api: Api,
  send: (credentials: CallOptions) => Promise<Answer>,
  wanted: number,
): Promise<void> {
  const cookie = await addMember(api, 'owner', 'session');
  const { status, text } = await send({ headers: { ...cookie, 'Sec-Fetch-Site': 'same-origin' } });
  t.is(status, wanted, `person: ${text}`);
}

function check(
  t: ExecutionContext,
  { status, body, headers, text }: Answer,
  wanted: number,
  title: string,
  key?: string,
): void {
  t.is(status, wanted, `${key}: ${text}`);
  if (wanted !== 401) return;
  t.is(body.title, title, key);
  t.is(headers.get('WWW-Authenticate'), 'Bearer realm="swiftcache"');
}

testOnEachDatabase('who has no key learns nothing about the rest of a request', async (t, orm) => {
  const { call } = await startApi(t, orm);
  for (const body of ['{"broken', { no: 'field' }, 'x'.repeat(100_000)]) {
    t.is((await call('post', instances, { body })).status, 401);
  }
});

testOnEachDatabase('a key whose letters differ in one place is unknown', async (t, orm) => {
  const { owner, call } = await startApi(t, orm);
  const last = owner.secret.at(-1) === '0' ? '1' : '0';
  const path = `${instances}?organizationId=${owner.organizationId}`;
  t.is((await call('get', path, { key: owner.secret.slice(0, -1) + last })).status, 401);
  t.is((await call('get', path, { key: `bearer ${owner.secret}` })).status, 200);
});
