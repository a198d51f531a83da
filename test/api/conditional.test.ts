/** Changes that are made only from a known state: ETag and If-Match. */
import { type Answer, type Api, startApi } from '../support/api.ts';
import { testOnEachDatabase } from '../support/databases.ts';
import { isProblem } from '../support/problems.ts';
import { addInstance, readInstance } from '../support/rows.ts';

function patch({ call, owner }: Api, path: string, ifMatch: string, body: object): Promise<Answer> {
  return call('patch', path, { key: owner.secret, body, headers: { 'If-Match': ifMatch } });
}

testOnEachDatabase(
  'a change from the state that was read is made, and names the next',
  async (t, orm) => {
    const api = await startApi(t, orm);
    const { id } = await addInstance(orm, {
      organizationId: api.owner.organizationId,
      status: 'RUNNING',
    });
    const path = `/api/v1/instances/${id}`;
    const before = (await api.own('get', path)).headers.get('ETag') ?? '';
    t.regex(before, /^"[\w-]{22}"$/);
    const changed = await patch(api, path, before, { name: 'two' });
    t.is(changed.status, 200);
    const after = changed.headers.get('ETag') ?? '';
    t.not(after, before);
    t.is((await api.own('get', path)).headers.get('ETag'), after);

    const late = await patch(api, path, before, { name: 'three' });
    isProblem(t, late, 'changed_meanwhile');
    t.is((await readInstance(orm, id)).name, 'two');
  },
);

testOnEachDatabase('of two changes from one state at once, one is made', async (t, orm) => {
  const api = await startApi(t, orm);
  const { id } = await addInstance(orm, {
    organizationId: api.owner.organizationId,
    status: 'RUNNING',
  });
  const path = `/api/v1/instances/${id}`;
  const tag = (await api.own('get', path)).headers.get('ETag') ?? '';
  const answers = await Promise.all(
    ['a', 'b', 'c', 'd'].map((name) => patch(api, path, tag, { name })),
  );
  t.deepEqual(answers.map(({ status }) => status).sort(), [200, 412, 412, 412]);
  const made = answers.find(({ status }) => status === 200);
  t.is((await readInstance(orm, id)).name, made?.body.instance.name);
});

testOnEachDatabase(
  'a list of tags, and any state, are taken; what is no tag is not',
  async (t, orm) => {
    const api = await startApi(t, orm);
    const { id } = await addInstance(orm, {
      organizationId: api.owner.organizationId,
      status: 'RUNNING',
    });
    const path = `/api/v1/instances/${id}`;
    const tag = (await api.own('get', path)).headers.get('ETag') ?? '';
    t.is((await patch(api, path, `"other", ${tag}`, { name: 'a' })).status, 200);
    t.is((await patch(api, path, '*', { name: 'b' })).status, 200);
    const now = (await api.own('get', path)).headers.get('ETag') ?? '';
    for (const wrong of [`W/${now}`, now.slice(1, -1), '""', 'x']) {
      isProblem(t, await patch(api, path, wrong, { name: 'c' }), 'changed_meanwhile');
    }
  },
);

testOnEachDatabase('what goes on says when to ask again, what is done does not', async (t, orm) => {
  const api = await startApi(t, orm);
  const { id } = await addInstance(orm, {
    organizationId: api.owner.organizationId,
    status: 'RUNNING',
  });
  const path = `/api/v1/instances/${id}`;
  const done = await api.own('patch', path, { name: 'a' });
  t.is(done.status, 200);
  t.is(done.headers.get('Retry-After'), null);
  for (const [method, suffix, body] of [
    ['patch', '', { maxMemory: 128 * 1024 * 1024 }],
    ['delete', '', undefined],
  ] as const) {
    const { status, headers } = await api.own(method, path + suffix, body);
    t.is(status, 202);
    t.is(headers.get('Retry-After'), '1');
    t.regex(headers.get('Location') ?? '', /^\/api\/v1\/operations\/op_/);
  }
});
