/** PATCH: what it changes, what it refuses, and what it leaves alone. */
import { AuditEntryEntity } from '../../src/store/entities/audit-entry.ts';
import { type Answer, type Api, startApi } from '../support/api.ts';
import { testOnEachDatabase } from '../support/databases.ts';
import { testPorts } from '../support/ports.ts';
import { addInstance, readInstance, readOperation } from '../support/rows.ts';

const mib = 1024 * 1024;

async function startWithInstance(t: Parameters<typeof startApi>[0], orm: Api['orm'], ports = {}) {
  const api = await startApi(t, orm, ports);
  const { organizationId } = api.owner;
  const instance = await addInstance(orm, { organizationId, status: 'RUNNING' });
  const path = `/api/v1/instances/${instance.id}`;
  const patch = (body: object): Promise<Answer> => api.own('patch', path, body);
  return { api, path, patch, id: instance.id };
}

testOnEachDatabase(
  'a new name, labels and protection hold at once, without an operation',
  async (t, orm) => {
    const { api, patch, id } = await startWithInstance(t, orm);
    const changes = { name: 'other', labels: { env: 'prod' }, deletionProtection: true };
    const { status, body } = await patch(changes);
    t.is(status, 200);
    t.like(body.instance, changes);
    t.is(body.operation, null);
    t.is(api.wakes(), 0);
    t.is((await readInstance(orm, id)).generation, 1);
    const [entry] = await orm.em.fork().find(AuditEntryEntity, { targetId: id });
    t.like(entry, { action: 'instance.update', outcome: 'done', actorKind: 'account-key' });
    t.deepEqual(entry?.details, changes);
  },
);

testOnEachDatabase(
  'memory, eviction and persistence become wanted, by an operation',
  async (t, orm) => {
    const { api, patch, id } = await startWithInstance(t, orm);
    const changes = { maxMemory: 128 * mib, evictionPolicy: 'volatile-lru', persistence: true };
    const { status, body, headers } = await patch(changes);
    t.is(status, 202);
    t.like(body.instance, { ...changes, maxMemoryMb: 128, status: 'RUNNING' });
    t.like(body.operation, { kind: 'update', status: 'QUEUED' });
    t.is(headers.get('Location'), `/api/v1/operations/${body.operation.id}`);
    t.is(api.wakes(), 1);
    t.like(await readInstance(orm, id), { generation: 2, appliedGeneration: 1 });
  },
);

testOnEachDatabase('the same values again ask for nothing', async (t, orm) => {
  const { api, patch } = await startWithInstance(t, orm);
  t.is((await patch({ maxMemory: 64 * mib })).status, 200);
  t.is(api.wakes(), 0);
});

testOnEachDatabase(
  'a later change takes the place of one that is still under way',
  async (t, orm) => {
    const { patch } = await startWithInstance(t, orm);
    const first = await patch({ maxMemory: 128 * mib });
    const second = await patch({ maxMemory: 96 * mib });
    t.is((await readOperation(orm, first.body.operation.id)).status, 'SUPERSEDED');
    t.is((await readOperation(orm, second.body.operation.id)).status, 'QUEUED');
  },
);

testOnEachDatabase('settings change only while RUNNING, notes in every state', async (t, orm) => {
  const { api } = await startWithInstance(t, orm);
  for (const status of ['PROVISIONING', 'STOPPED', 'FAILED', 'DELETING', 'RESTARTING'] as const) {
    const { id } = await addInstance(orm, { organizationId: api.owner.organizationId, status });
    const patch = (body: object) => api.own('patch', `/api/v1/instances/${id}`, body);
    t.is((await patch({ evictionPolicy: 'noeviction' })).body.code, 'state_conflict', status);
    t.is((await patch({ maxMemory: 128 * mib })).status, 409, status);
    t.is((await patch({ name: 'another' })).status, 200, status);
  }
});

testOnEachDatabase(
  'less memory than is in use is refused under noeviction, whole',
  async (t, orm) => {
    const runtime = { readUsedMemory: async () => 50 * mib };
    const { api, path, patch, id } = await startWithInstance(t, orm, { ...testPorts(), runtime });
    t.is((await patch({ maxMemory: 32 * mib })).status, 202, 'another policy evicts');
    await patch({ maxMemory: 64 * mib });
    const before = await readInstance(orm, id);
    for (const tail of ['', '/preview']) {
      const body = { maxMemory: 32 * mib, evictionPolicy: 'noeviction', name: 'never' };
      const answer = await api.own(tail ? 'post' : 'patch', path + tail, body);
      t.is(answer.status, 409);
      t.is(answer.body.code, 'memory_in_use');
      t.like(answer.body.limit, { limit: 32 * mib, used: 50 * mib });
    }
    t.deepEqual({ ...(await readInstance(orm, id)) }, { ...before });
    t.is((await patch({ maxMemory: 52 * mib, evictionPolicy: 'noeviction' })).status, 202);
  },
);

testOnEachDatabase('a change from an older state is refused by its ETag', async (t, orm) => {
  const { api, path } = await startWithInstance(t, orm);
  const etag = String((await api.own('get', path)).headers.get('ETag'));
  t.regex(etag, /^"[\w-]+"$/);
  const key = api.owner.secret;
  const patch = (name: string, ifMatch: string) =>
    api.call('patch', path, { key, body: { name }, headers: { 'If-Match': ifMatch } });
  const first = await patch('first', etag);
  t.is(first.status, 200);
  t.not(first.headers.get('ETag'), etag);
  const late = await patch('late', etag);
  t.is(late.status, 412);
  t.is(late.body.code, 'changed_meanwhile');
  t.is((await patch('second', `"other", ${first.headers.get('ETag')}`)).status, 200);
  t.is((await patch('third', '*')).status, 200);
});

testOnEachDatabase('of two changes from one state at once, one is made', async (t, orm) => {
  const { api, path } = await startWithInstance(t, orm);
  const etag = String((await api.own('get', path)).headers.get('ETag'));
  const key = api.owner.secret;
  const answers = await Promise.all(
    Array.from({ length: 6 }, (_, index) =>
      api.call('patch', path, { key, body: { name: `n${index}` }, headers: { 'If-Match': etag } }),
    ),
  );
  t.is(answers.filter(({ status }) => status === 200).length, 1);
  t.is(answers.filter(({ status }) => status === 412).length, 5);
});

testOnEachDatabase(
  'an empty PATCH, unknown fields and bad labels are refused by name',
  async (t, orm) => {
    const { patch } = await startWithInstance(t, orm);
    for (const body of [
      {},
      { colour: 'red' },
      { labels: { 'No!': 'x' } },
      { labels: { a: 'x'.repeat(257) } },
      { expiresAt: 'tomorrow' },
      { expiresAt: '2001-01-01T00:00:00Z' },
      { expiresAt: '9999-12-31T23:00:00-05:00' },
      { status: 'RUNNING' },
    ]) {
      t.is((await patch(body)).body.code, 'invalid_request', JSON.stringify(body));
    }
  },
);
