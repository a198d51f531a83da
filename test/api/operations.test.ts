/** The operations of an instance, listed. */
import test from 'ava';
import { documented, hasFields } from '../support/answers.ts';
import { type Api, startApi } from '../support/api.ts';
import { openTestDatabase, testOnEachDatabase } from '../support/databases.ts';
import { isProblem, pointersOf } from '../support/problems.ts';
import { addInstance, addOperation } from '../support/rows.ts';

const at = (second: number): Date => new Date(Date.UTC(2024, 0, 1, 0, 0, second));

async function list({ own }: Api, instanceId: string, query = '') {
  const answer = await own('get', `/api/v1/instances/${instanceId}/operations${query}`);
  const kinds = (answer.body.operations ?? []).map(({ kind }: { kind: string }) => kind);
  return { ...answer, kinds, nextCursor: answer.body.nextCursor };
}

testOnEachDatabase("an instance's operations come newest first, page by page", async (t, orm) => {
  const api = await startApi(t, orm);
  const { organizationId } = api.owner;
  const instance = await addInstance(orm, { organizationId, status: 'RUNNING' });
  const other = await addInstance(orm, { organizationId });
  await addOperation(orm, other, { kind: 'start', createdAt: at(9) });
  await addOperation(orm, instance, { kind: 'create', status: 'SUCCEEDED', createdAt: at(1) });
  await addOperation(orm, instance, { kind: 'update', status: 'FAILED', createdAt: at(2) });
  await addOperation(orm, instance, { kind: 'restart', status: 'RUNNING', createdAt: at(3) });
  const all = await list(api, instance.id);
  t.is(all.status, 200);
  documented(t, 'get /api/v1/instances/:instanceId/operations', all);
  hasFields(t, all.body, 'operations nextCursor');
  t.deepEqual(all.kinds, ['restart', 'update', 'create']);
  t.is(all.nextCursor, null);

  const first = await list(api, instance.id, '?limit=2');
  t.deepEqual(first.kinds, ['restart', 'update']);
  const second = await list(api, instance.id, `?limit=2&cursor=${first.nextCursor}`);
  t.deepEqual(second.kinds, ['create']);
  t.is(second.nextCursor, null);

  const some = await list(api, instance.id, '?status=SUCCEEDED,FAILED');
  t.deepEqual(some.kinds, ['update', 'create']);
});

testOnEachDatabase("what is gone or another's has no operations to list", async (t, orm) => {
  const api = await startApi(t, orm);
  const { organizationId } = api.owner;
  const gone = await addInstance(orm, { organizationId, status: 'DELETED', desired: 'absent' });
  const { organizationId: foreignId } = api.stranger;
  const foreign = await addInstance(orm, { organizationId: foreignId });
  for (const instance of [gone, foreign]) {
    await addOperation(orm, instance);
    isProblem(t, await list(api, instance.id), 'not_found');
  }
});

test('a wrong filter is refused by name', async (t) => {
  const api = await startApi(t, await openTestDatabase(t));
  const { id } = await addInstance(api.orm, { organizationId: api.owner.organizationId });
  for (const [query, field] of [
    ['?status=done', 'status.0'],
    ['?limit=0', 'limit'],
    ['?cursor=x', 'cursor'],
    ['?kind=create', 'kind'],
  ] as const) {
    const answer = await list(api, id, query);
    isProblem(t, answer, 'invalid_request');
    t.deepEqual(pointersOf(answer), [field]);
  }
});
