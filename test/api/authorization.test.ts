/** Who may call what: every route, every kind of caller. */
import test, { type ExecutionContext } from 'ava';
import { routes } from '../../src/http/routes/index.ts';
import { createAccountSecret, createDataSecret } from '../../src/keys/format.ts';
import type { Orm } from '../../src/store/database.ts';
import { type Account, type Answer, newInstance, startApi } from '../support/api.ts';
import { testOnEachDatabase } from '../support/databases.ts';
import { addInstance, addOperation } from '../support/rows.ts';

/** Things of the owner's that a call is about. */
interface Things {
  readonly owner: Account;
  readonly instanceId: string;
  readonly operationId: string;
}

interface Row {
  path(things: Things): string;
  body?(things: Things): object;
  /** Statuses for who has no key, a malformed one, an unknown one, another's, the owner's. */
  readonly statuses: readonly [number, number, number, number, number];
}

const instances = '/api/v1/instances';

const table: Record<string, Row> = {
  'get /healthz': { path: () => '/healthz', statuses: [200, 200, 200, 200, 200] },
  'get /readyz': { path: () => '/readyz', statuses: [200, 200, 200, 200, 200] },
  'get /api/v1/instances/regions': {
    path: () => `${instances}/regions`,
    statuses: [200, 200, 200, 200, 200],
  },
  'post /api/v1/instances': {
    path: () => instances,
    body: ({ owner }) => newInstance(owner),
    statuses: [401, 401, 401, 404, 201],
  },
  'get /api/v1/instances': {
    path: ({ owner }) => `${instances}?organizationId=${owner.organizationId}`,
    statuses: [401, 401, 401, 404, 200],
  },
  'get /api/v1/instances/:instanceId': {
    path: ({ instanceId }) => `${instances}/${instanceId}`,
    statuses: [401, 401, 401, 404, 200],
  },
  'delete /api/v1/instances/:instanceId': {
    path: ({ instanceId }) => `${instances}/${instanceId}`,
    statuses: [401, 401, 401, 404, 202],
  },
  'post /api/v1/instances/:instanceId/retry': {
    path: ({ instanceId }) => `${instances}/${instanceId}/retry`,
    statuses: [401, 401, 401, 404, 202],
  },
  'get /api/v1/operations/:operationId': {
    path: ({ operationId }) => `/api/v1/operations/${operationId}`,
    statuses: [401, 401, 401, 404, 200],
  },
};

test('every route has its row in the table, and every row its route', (t) => {
  const names = routes.map(({ method, path }) => `${method} ${path}`);
  t.deepEqual(Object.keys(table).sort(), names.sort());
  t.is(new Set(names).size, names.length);
});

test('the routes that need no key are the few that are meant to', (t) => {
  const open = routes.filter(({ access }) => access === 'public').map(({ path }) => path);
  t.deepEqual(open.sort(), ['/api/v1/instances/regions', '/healthz', '/readyz']);
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
  testOnEachDatabase(`${name} answers each kind of caller as it should`, async (t, orm) => {
    const { owner, stranger, call } = await startApi(t, orm);
    const things = await addThings(orm, owner);
    const send = (key?: string): Promise<Answer> => {
      return call(method, row.path(things), { key, body: row.body?.(things) });
    };
    const [nobody, malformed, unknown, another, own] = row.statuses;
    check(t, await send(), nobody, 'Authentication required');
    for (const key of malformedKeys) {
      check(t, await send(key), malformed, 'Invalid authentication token', key);
    }
    check(t, await send(unknownKey), unknown, 'Invalid authentication token');
    t.is((await send(stranger.secret)).status, another);
    t.is((await send(owner.secret)).status, own);
  });
}

function check(
  t: ExecutionContext,
  { status, body, headers }: Answer,
  wanted: number,
  title: string,
  key?: string,
): void {
  t.is(status, wanted, key);
  if (wanted !== 401) return;
  t.is(body.title, title, key);
  t.is(headers.get('WWW-Authenticate'), 'Bearer realm="swiftcache"');
}

/** A failed instance, which every route takes. */
async function addThings(orm: Orm, owner: Account): Promise<Things> {
  const { organizationId } = owner;
  const instance = await addInstance(orm, { organizationId, status: 'FAILED' });
  const { id: operationId } = await addOperation(orm, instance, { status: 'FAILED' });
  return { owner, instanceId: instance.id, operationId };
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
