/** Data keys over the API: what they are, what they open, and who is told when that changes. */
import { findPrincipal } from '../../src/keys/data-keys.ts';
import { KeyBindingEntity } from '../../src/store/entities/data-key.ts';
import { documented, hasFields } from '../support/answers.ts';
import { type Answer, newInstance } from '../support/api.ts';
import { testOnEachDatabase } from '../support/databases.ts';
import { instances, keys, listActions, startKeysApi } from '../support/keys-api.ts';
import { addDataKey, dumpDatabase } from '../support/rows.ts';

const fields =
  'id organizationId name createdAt lastUsed expiresAt permissions ipWhitelist rateLimit instanceIds';

testOnEachDatabase(
  'a key made for an instance opens it, and is shown this once',
  async (t, orm) => {
    const { own, addOwn, revisionOf, told, clock } = await startKeysApi(t, orm);
    const id = await addOwn();
    const answer = await own('post', `${instances}/${id}/api-keys`, { name: 'app' });
    t.is(answer.status, 201, answer.text);
    documented(t, `post ${instances}/:instanceId/api-keys`, answer);
    const { createdKey } = answer.body;
    hasFields(t, createdKey, `${fields} plainTextKey`);
    t.like(createdKey, {
      name: 'app',
      permissions: ['read', 'write'],
      ipWhitelist: [],
      rateLimit: 1000,
      expiresAt: null,
      lastUsed: null,
      instanceIds: [id],
    });
    t.is(answer.headers.get('Location'), `${keys}/${createdKey.id}`);
    const principal = await findPrincipal(orm, createdKey.plainTextKey, clock.now());
    t.deepEqual(
      principal?.instances.map((instance) => instance.id),
      [id],
    );
    t.is(await revisionOf(id), 1);
    t.deepEqual(told, [`enforce ${id}`]);
    t.false((await dumpDatabase(orm)).includes(createdKey.plainTextKey));
    t.like((await listActions(orm, 'key.create'))[0], { targetId: createdKey.id, name: 'app' });
    const read = await own('get', `${keys}/${createdKey.id}`);
    t.is(read.status, 200);
    documented(t, `get ${keys}/:keyId`, read);
    const { plainTextKey, ...shown } = createdKey;
    t.deepEqual(read.body.apiKey, shown);
    t.false(read.text.includes(plainTextKey));
    const instance = await own('get', `${instances}/${id}`);
    t.deepEqual(
      instance.body.instance.apiKeys.map((key: { id: string }) => key.id),
      [createdKey.id],
    );
  },
);

testOnEachDatabase('a key takes every property, and gives it back in one form', async (t, orm) => {
  const { own, addOwn, organizationId } = await startKeysApi(t, orm);
  const ids = [await addOwn(), await addOwn()].sort();
  const answer = await own('post', keys, {
    organizationId,
    name: 'everything',
    permissions: ['write', 'read'],
    ipWhitelist: ['10.1.2.3/8', '2001:DB8:0::1', '192.0.2.7/32', '::ffff:192.0.2.7'],
    rateLimit: 50,
    expiresAt: '2030-01-01T02:00:00+02:00',
    instanceIds: [...ids].reverse(),
  });
  t.is(answer.status, 201, answer.text);
  documented(t, `post ${keys}`, answer);
  t.like(answer.body.createdKey, {
    permissions: ['read', 'write'],
    ipWhitelist: ['10.0.0.0/8', '2001:db8::1', '192.0.2.7'],
    rateLimit: 50,
    expiresAt: '2030-01-01T00:00:00.000Z',
    instanceIds: ids,
  });
  const unbound = await own('post', keys, { organizationId, name: 'later' });
  t.deepEqual(unbound.body.createdKey.instanceIds, []);
  for (const path of [
    `${keys}?organizationId=${organizationId}`,
    `${instances}/${ids[0]}/api-keys`,
  ]) {
    const { status, body } = await own('get', path);
    t.is(status, 200);
    const { id } = answer.body.createdKey;
    const listed = body.apiKeys.find((key: { id: string }) => key.id === id);
    t.deepEqual(listed.instanceIds, ids);
    t.is(body.nextCursor, null);
  }
});

testOnEachDatabase('keys are listed in pages, each once', async (t, orm) => {
  const { own, organizationId } = await startKeysApi(t, orm);
  for (let made = 0; made < 5; made += 1) await addDataKey(orm, organizationId);
  const found: string[] = [];
  let cursor = '';
  do {
    const path = `${keys}?organizationId=${organizationId}&limit=2${cursor}`;
    const { body } = await own('get', path);
    found.push(...body.apiKeys.map((key: { id: string }) => key.id));
    cursor = body.nextCursor && `&cursor=${body.nextCursor}`;
  } while (cursor);
  t.is(found.length, 5);
  t.is(new Set(found).size, 5);
});

testOnEachDatabase('a deleted key is gone from every instance', async (t, orm) => {
  const { own, addOwn, revisionOf, told, organizationId } = await startKeysApi(t, orm);
  const ids = [await addOwn(), await addOwn()].sort();
  const key = await addDataKey(orm, organizationId, {}, ids);
  const answer = await own('delete', `${keys}/${key.id}`);
  t.is(answer.status, 200);
  documented(t, `delete ${keys}/:keyId`, answer);
  t.deepEqual(answer.body, { message: 'API key deleted', apiKey: { id: key.id } });
  t.deepEqual([await revisionOf(ids[0] ?? ''), await revisionOf(ids[1] ?? '')], [1, 1]);
  t.deepEqual(told, [`forget ${key.id}`, ['enforce', ...ids].join(' ')]);
  t.is(await orm.em.fork().count(KeyBindingEntity, { keyId: key.id }), 0);
  t.is((await own('delete', `${keys}/${key.id}`)).status, 404);
  t.like((await listActions(orm, 'key.delete'))[0], { targetId: key.id, instanceIds: ids });
});

testOnEachDatabase('a change tells Redis what it must know, and no more', async (t, orm) => {
  const { own, addOwn, revisionOf, told, organizationId } = await startKeysApi(t, orm);
  const id = await addOwn();
  const key = await addDataKey(orm, organizationId, {}, [id]);
  const change = async (body: object): Promise<string[]> => {
    told.length = 0;
    const answer = await own('patch', `${keys}/${key.id}`, body);
    t.is(answer.status, 200, answer.text);
    documented(t, `patch ${keys}/:keyId`, answer);
    t.like(answer.body.apiKey, { id: key.id, ...body });
    return [...told];
  };
  const forget = `forget ${key.id}`;
  const enforce = `enforce ${id}`;
  t.deepEqual(await change({ name: 'renamed', rateLimit: 7 }), []);
  t.is(await revisionOf(id), 0);
  t.deepEqual(await change({ permissions: ['read'] }), [forget, enforce]);
  t.deepEqual(await change({ permissions: ['read'] }), []);
  t.deepEqual(await change({ permissions: ['read', 'write'] }), [enforce]);
  t.deepEqual(await change({ ipWhitelist: ['192.0.2.1'] }), [forget]);
  t.deepEqual(await change({ ipWhitelist: [] }), []);
  t.deepEqual(await change({ expiresAt: '2030-01-01T00:00:00.000Z' }), [enforce]);
  t.deepEqual(await change({ expiresAt: null }), [enforce]);
  t.is(await revisionOf(id), 4);
});

testOnEachDatabase(
  'a change is made from the state that was read, where that is asked',
  async (t, orm) => {
    const { own, call, owner, organizationId } = await startKeysApi(t, orm);
    const { id } = await addDataKey(orm, organizationId);
    const etag = (await own('get', `${keys}/${id}`)).headers.get('ETag') ?? '';
    const change = (name: string): Promise<Answer> => {
      const headers = { 'If-Match': etag };
      return call('patch', `${keys}/${id}`, { key: owner.secret, body: { name }, headers });
    };
    const first = await change('first');
    t.is(first.status, 200, first.text);
    t.not(first.headers.get('ETag'), etag);
    const second = await change('second');
    t.is(second.status, 412);
    t.is(second.body.code, 'changed_meanwhile');
    t.is((await own('get', `${keys}/${id}`)).body.apiKey.name, 'first');
  },
);

testOnEachDatabase('an expired key opens nothing and is bound to nothing', async (t, orm) => {
  const { own, addOwn, clock, organizationId } = await startKeysApi(t, orm);
  const id = await addOwn();
  const expiresAt = new Date(clock.now().getTime() + 1_000).toISOString();
  const made = await own('post', `${instances}/${id}/api-keys`, { name: 'short', expiresAt });
  const { id: keyId, plainTextKey } = made.body.createdKey;
  t.truthy(await findPrincipal(orm, plainTextKey, clock.now()));
  clock.advance(1_000);
  t.is(await findPrincipal(orm, plainTextKey, clock.now()), undefined);
  const bind = await own('put', `${instances}/${id}/api-keys/${keyId}`);
  t.deepEqual([bind.status, bind.body.code], [400, 'invalid_request']);
  const create = await own(
    'post',
    instances,
    newInstance({ organizationId }, { apiKeyIds: [keyId] }),
  );
  t.deepEqual([create.status, create.body.errors[0].pointer], [400, '/apiKeyIds']);
  const later = new Date(clock.now().getTime() + 1_000).toISOString();
  t.is((await own('patch', `${keys}/${keyId}`, { expiresAt: later })).status, 200);
  t.truthy(await findPrincipal(orm, plainTextKey, clock.now()));
});
