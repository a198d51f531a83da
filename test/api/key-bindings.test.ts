/** Which key opens which instance: bound and taken off once, never across organizations, never too many. */
import type { ExecutionContext } from 'ava';
import { DataKeyEntity, KeyBindingEntity } from '../../src/store/entities/data-key.ts';
import { documented } from '../support/answers.ts';
import { type Api, newInstance } from '../support/api.ts';
import { testOnEachDatabase } from '../support/databases.ts';
import { instances, keys, listActions, startKeysApi } from '../support/keys-api.ts';
import { addDataKey, addInstance, readInstance } from '../support/rows.ts';

testOnEachDatabase('binding and taking off are each done once, however often', async (t, orm) => {
  const { own, addOwn, revisionOf, told, organizationId } = await startKeysApi(t, orm);
  const [id, other] = [await addOwn(), await addOwn()];
  const key = await addDataKey(orm, organizationId, {}, [other]);
  const path = `${instances}/${id}/api-keys/${key.id}`;
  for (const _ of [1, 2]) {
    const answer = await own('put', path);
    t.is(answer.status, 200, answer.text);
    documented(t, `put ${instances}/:instanceId/api-keys/:keyId`, answer);
    t.deepEqual(answer.body.apiKey.instanceIds, [id, other].sort());
  }
  t.is(await revisionOf(id), 1);
  for (const _ of [1, 2]) {
    const answer = await own('delete', path);
    t.is(answer.status, 200, answer.text);
    documented(t, `delete ${instances}/:instanceId/api-keys/:keyId`, answer);
    t.deepEqual(answer.body.apiKey.instanceIds, [other]);
  }
  t.deepEqual([await revisionOf(id), await revisionOf(other)], [2, 0]);
  t.deepEqual(told.slice(2, 4), [`forget ${key.id} ${id}`, `enforce ${id}`]);
  t.deepEqual(await listActions(orm, 'key.bind'), [{ targetId: key.id, instanceId: id }]);
  t.deepEqual(await listActions(orm, 'key.unbind'), [{ targetId: key.id, instanceId: id }]);
});

testOnEachDatabase('a key and an instance of two organizations never meet', async (t, orm) => {
  const { own, call, addOwn, stranger, organizationId } = await startKeysApi(t, orm);
  const id = await addOwn();
  const foreign = await addInstance(orm, { organizationId: stranger.organizationId });
  const foreignKey = await addDataKey(orm, stranger.organizationId);
  const ownKey = await addDataKey(orm, organizationId);
  const answers = [
    await own('put', `${instances}/${id}/api-keys/${foreignKey.id}`),
    await own('put', `${instances}/${foreign.id}/api-keys/${ownKey.id}`),
    await own('post', keys, { organizationId, name: 'x', instanceIds: [id, foreign.id] }),
    await own('post', `${instances}/${foreign.id}/api-keys`, { name: 'x' }),
    await own('post', instances, newInstance({ organizationId }, { apiKeyIds: [foreignKey.id] })),
    await call('delete', `${keys}/${ownKey.id}`, { key: stranger.secret }),
  ];
  for (const { status, body, text } of answers) {
    t.is(status, 404, text);
    t.is(body.code, 'not_found');
  }
  const bound = await orm.em.fork().count(KeyBindingEntity, {});
  t.is(bound, 0);
});

testOnEachDatabase('an instance that is being deleted takes no keys', async (t, orm) => {
  const { own, organizationId } = await startKeysApi(t, orm);
  const state = { status: 'DELETING', desired: 'absent' } as const;
  const { id } = await addInstance(orm, { organizationId, ...state });
  const key = await addDataKey(orm, organizationId);
  const answers = [
    await own('put', `${instances}/${id}/api-keys/${key.id}`),
    await own('post', `${instances}/${id}/api-keys`, { name: 'x' }),
    await own('post', keys, { organizationId, name: 'x', instanceIds: [id] }),
  ];
  for (const { status, body } of answers) t.deepEqual([status, body.code], [409, 'state_conflict']);
});

testOnEachDatabase(
  'an instance has 64 keys at most, also when many come at once',
  async (t, orm) => {
    const { own, addOwn, revisionOf, organizationId } = await startKeysApi(t, orm);
    const id = await addOwn();
    for (let bound = 0; bound < 60; bound += 1) await addDataKey(orm, organizationId, {}, [id]);
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => own('post', `${instances}/${id}/api-keys`, { name: 'x' })),
    );
    const statuses = answers.map(({ status }) => status).sort();
    t.deepEqual(statuses, [201, 201, 201, 201, 409, 409, 409, 409]);
    const refused = answers.find(({ status }) => status === 409);
    t.is(refused?.body.code, 'too_many_keys');
    t.deepEqual(refused?.body.limit, {
      name: 'keysPerInstance',
      limit: 64,
      used: 64,
      requested: 1,
    });
    t.is(await orm.em.fork().count(KeyBindingEntity, { instanceId: id }), 64);
    t.is(await revisionOf(id), 4);
    t.is(await orm.em.fork().count(DataKeyEntity, { organizationId }), 64);
  },
);

testOnEachDatabase('changes of one key from all sides at once leave one truth', async (t, orm) => {
  const api = await startKeysApi(t, orm);
  const { own, addOwn, organizationId } = api;
  const ids = await Promise.all([addOwn(), addOwn(), addOwn(), addOwn()]);
  const { id: keyId } = await addDataKey(orm, organizationId, {}, ids.slice(0, 2));
  const answers = await Promise.all([
    ...ids.map((id) => own('put', `${instances}/${id}/api-keys/${keyId}`)),
    own('patch', `${keys}/${keyId}`, { permissions: ['read'] }),
    ...ids.map((id) => own('delete', `${instances}/${id}/api-keys/${keyId}`)),
    own('patch', `${keys}/${keyId}`, { permissions: ['read', 'write'] }),
    own('delete', `${instances}/${ids[3]}`),
    own('delete', `${keys}/${keyId}`),
  ]);
  for (const { status, text } of answers) t.true([200, 202, 404, 409, 412].includes(status), text);
  t.is((await own('get', `${keys}/${keyId}`)).status, 404);
  t.is(await orm.em.fork().count(KeyBindingEntity, { keyId }), 0);
  await checkRevisions(t, api, ids);
});

/** Every change that was noted has raised the revision of its instances. */
async function checkRevisions(
  t: ExecutionContext,
  { orm }: Pick<Api, 'orm'>,
  ids: readonly string[],
): Promise<void> {
  const bound = await listActions(orm, 'key.bind');
  const unbound = await listActions(orm, 'key.unbind');
  for (const id of ids) {
    const changes = [...bound, ...unbound].filter(({ instanceId }) => instanceId === id).length;
    t.true((await readInstance(orm, id)).accessRevision >= changes);
  }
}
