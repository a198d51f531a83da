/** What belongs to another organization and what does not exist give the same answer, byte for byte. */
import test, { type ExecutionContext } from 'ava';
import { newId } from '../../src/lib/ids.ts';
import { DataKeyEntity } from '../../src/store/entities/data-key.ts';
import { InstanceEntity } from '../../src/store/entities/instance.ts';
import { type Answer, newInstance, startApi } from '../support/api.ts';
import { openTestDatabase, testOnEachDatabase } from '../support/databases.ts';
import { addDataKey, addInstance, addOperation, readInstance } from '../support/rows.ts';

const instances = '/api/v1/instances';

/** Everything of an answer but what differs with each: request id, date, what is left, the id asked for. */
function essence({ status, headers, text, body }: Answer, id: string): object {
  const kept = [...headers].filter(
    ([name]) => !['date', 'x-request-id', 'ratelimit'].includes(name),
  );
  const said = text.replaceAll(body.requestId, 'REQUEST').replaceAll(id, 'ID');
  return { status, said, headers: Object.fromEntries(kept) };
}

function same(t: ExecutionContext, foreign: [Answer, string], missing: [Answer, string]): void {
  t.is(foreign[0].status, 404);
  t.is(foreign[0].body.code, 'not_found');
  t.deepEqual(essence(...foreign), essence(...missing));
}

for (const [method, suffix] of [
  ['get', ''],
  ['delete', ''],
  ['post', '/retry'],
] as const) {
  testOnEachDatabase(
    `${method} …${suffix}: a foreign instance is like a missing one`,
    async (t, orm) => {
      const { own, stranger } = await startApi(t, orm);
      const foreign = await addInstance(orm, {
        organizationId: stranger.organizationId,
        status: 'FAILED',
      });
      const before = await readInstance(orm, foreign.id);
      const missing = newId('inst');
      const ask = (id: string): Promise<Answer> => own(method, `${instances}/${id}${suffix}`);
      same(t, [await ask(foreign.id), foreign.id], [await ask(missing), missing]);
      t.deepEqual({ ...(await readInstance(orm, foreign.id)) }, { ...before });
    },
  );

  testOnEachDatabase(
    `${method} …${suffix}: a deleted instance is like a missing one`,
    async (t, orm) => {
      const { own, owner } = await startApi(t, orm);
      const deleted = await addInstance(orm, {
        organizationId: owner.organizationId,
        status: 'DELETED',
        desired: 'absent',
      });
      const missing = newId('inst');
      const ask = (id: string): Promise<Answer> => own(method, `${instances}/${id}${suffix}`);
      same(t, [await ask(deleted.id), deleted.id], [await ask(missing), missing]);
    },
  );
}

testOnEachDatabase('a foreign operation is like a missing one', async (t, orm) => {
  const { own, stranger } = await startApi(t, orm);
  const instance = await addInstance(orm, { organizationId: stranger.organizationId });
  const { id } = await addOperation(orm, instance);
  const missing = newId('op');
  const ask = (operation: string): Promise<Answer> => own('get', `/api/v1/operations/${operation}`);
  same(t, [await ask(id), id], [await ask(missing), missing]);
});

testOnEachDatabase(
  'a foreign organization is like a missing one, to list and to create in',
  async (t, orm) => {
    const { own, stranger, wakes } = await startApi(t, orm);
    const foreign = stranger.organizationId;
    const missing = newId('org');
    const list = (id: string): Promise<Answer> => own('get', `${instances}?organizationId=${id}`);
    same(t, [await list(foreign), foreign], [await list(missing), missing]);
    const create = (id: string): Promise<Answer> => {
      return own('post', instances, newInstance({ organizationId: id }));
    };
    same(t, [await create(foreign), foreign], [await create(missing), missing]);
    t.is(await orm.em.fork().count(InstanceEntity, {}), 0);
    t.is(wakes(), 0);
  },
);

testOnEachDatabase(
  'a foreign API key is like a missing one, and nothing is half made',
  async (t, orm) => {
    const { own, owner, stranger, wakes } = await startApi(t, orm);
    const { id: mine } = await addDataKey(orm, owner.organizationId);
    const { id: foreign } = await addDataKey(orm, stranger.organizationId);
    const missing = newId('key');
    const create = (id: string): Promise<Answer> => {
      return own('post', instances, newInstance(owner, { apiKeyIds: [mine, id] }));
    };
    same(t, [await create(foreign), foreign], [await create(missing), missing]);
    const em = orm.em.fork();
    t.is(await em.count(InstanceEntity, {}), 0);
    t.is(await em.count(DataKeyEntity, {}), 2);
    t.is(wakes(), 0);
  },
);

test("another's instances are not in a list, nor its keys in an instance", async (t) => {
  const orm = await openTestDatabase(t);
  const { own, call, owner, stranger } = await startApi(t, orm);
  const { body } = await own('post', instances, newInstance(owner));
  const path = `${instances}?organizationId=${stranger.organizationId}`;
  const list = await call('get', path, { key: stranger.secret });
  t.deepEqual(list.body, { instances: [], nextCursor: null });
  t.is(
    (await call('get', `${instances}/${body.instance.id}`, { key: stranger.secret })).status,
    404,
  );
});
