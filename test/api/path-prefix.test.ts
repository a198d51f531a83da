/** Behind a proxy that serves the service under a prefix, every path that an answer names can be followed. */
import test from 'ava';
import { newInstance, startApi } from '../support/api.ts';
import { openTestDatabase } from '../support/databases.ts';
import { testConfig } from '../support/test-config.ts';

const pathPrefix = '/cache/v1';
const config = { ...testConfig(), pathPrefix };

test('Location carries the prefix, of a repeated request too', async (t) => {
  const { call, owner } = await startApi(t, await openTestDatabase(t), { config });
  const headers = { 'Idempotency-Key': 'once' };
  const body = newInstance(owner);
  const send = async () =>
    await call('post', '/api/v1/instances', { key: owner.secret, body, headers });
  const created = await send();
  t.is(created.status, 201, created.text);
  const { id } = created.body.instance;
  t.is(created.headers.get('Location'), `${pathPrefix}/api/v1/instances/${id}`);
  const repeated = await send();
  t.is(repeated.headers.get('Idempotent-Replayed'), 'true');
  t.is(repeated.headers.get('Location'), created.headers.get('Location'));
});

test('an error’s type and a link in an answer carry it', async (t) => {
  const { call, own, owner, url } = await startApi(t, await openTestDatabase(t), { config });
  const { body } = await call('get', '/api/v1/instances');
  t.is(body.type, `${pathPrefix}/docs/errors.md#authentication_required`);
  const path = `/api/v1/organizations/${owner.organizationId}/invitations`;
  const invited = await own('post', path, { role: 'developer' });
  t.is(invited.status, 201, invited.text);
  t.true(invited.body.invitation.link.startsWith(`${url}${pathPrefix}/invitations#`));
});

test('the API page and the document it shows carry it', async (t) => {
  const { call } = await startApi(t, await openTestDatabase(t), { config });
  const { text: page } = await call('get', '/docs');
  const named = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, path]) => path ?? '');
  t.true(named.length >= 5);
  for (const path of named) t.true(path.startsWith(`${pathPrefix}/docs/`), path);
  const { text: script } = await call('get', '/docs/page.js');
  t.true(script.includes(`'${pathPrefix}/openapi.json'`));
  const { body: document } = await call('get', '/openapi.json');
  t.deepEqual(document.servers, [{ url: pathPrefix }]);
  t.true(document.info.description.includes(`(${pathPrefix}/docs/errors.md)`));
});
