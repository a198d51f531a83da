/** Idempotency-Key: what is sent twice takes effect once, and is answered alike. */
import test from 'ava';
import { removeOldRecords } from '../../src/http/idempotency.ts';
import { sha256Hex } from '../../src/lib/crypto.ts';
import { newId } from '../../src/lib/ids.ts';
import { IdempotencyRecordEntity } from '../../src/store/entities/idempotency-record.ts';
import { InstanceEntity } from '../../src/store/entities/instance.ts';
import { type Answer, type Api, newInstance, startApi } from '../support/api.ts';
import { openTestDatabase, testOnEachDatabase } from '../support/databases.ts';
import { isProblem, startEmbeddedApi } from '../support/problems.ts';
import { addInstance, dumpDatabase } from '../support/rows.ts';

const instances = '/api/v1/instances';
const dayMs = 24 * 3_600_000;

function post(
  { call, owner }: Api,
  key: string,
  { body, path = instances, secret = owner.secret }: Sent = {},
): Promise<Answer> {
  const sent = body ?? newInstance(owner);
  return call('post', path, { key: secret, body: sent, headers: { 'Idempotency-Key': key } });
}

interface Sent {
  readonly body?: unknown;
  readonly path?: string;
  readonly secret?: string;
}

function countInstances({ orm }: Api): Promise<number> {
  return orm.em.fork().count(InstanceEntity, {});
}

testOnEachDatabase(
  'a repeated create gives the first answer byte for byte, with its secrets, and makes nothing',
  async (t, orm) => {
    const api = await startApi(t, orm);
    const first = await post(api, 'one');
    t.is(first.status, 201);
    t.is(first.headers.get('Idempotent-Replayed'), null);
    api.clock.advance(dayMs - 1);
    const again = await post(api, 'one');
    t.is(again.status, 201);
    t.is(again.text, first.text);
    t.regex(again.text, /sc_live_[0-9a-f]{32}/);
    for (const name of ['Location', 'Content-Type', 'ETag']) {
      t.is(again.headers.get(name), first.headers.get(name), name);
    }
    t.is(again.headers.get('Idempotent-Replayed'), 'true');
    t.not(again.headers.get('X-Request-Id'), first.headers.get('X-Request-Id'));
    t.is(await countInstances(api), 1);
    t.is(api.wakes(), 1);
  },
);

testOnEachDatabase('two requests with one key at once make one instance', async (t, orm) => {
  const api = await startApi(t, orm);
  const answers = await Promise.all(Array.from({ length: 6 }, () => post(api, 'at-once')));
  const made = answers.filter(({ status }) => status === 201);
  t.true(made.length >= 1);
  t.is(new Set(made.map(({ text }) => text)).size, 1);
  for (const answer of answers.filter(({ status }) => status !== 201)) {
    isProblem(t, answer, 'idempotency_in_flight');
    t.is(answer.headers.get('Retry-After'), '1');
  }
  t.is(await countInstances(api), 1);
  const again = await post(api, 'at-once');
  t.is(again.text, made[0]?.text ?? '');
});

testOnEachDatabase(
  'the same request in another order of its fields is the same',
  async (t, orm) => {
    const api = await startApi(t, orm);
    const labels = { one: '1', two: '2' };
    const first = await post(api, 'order', { body: newInstance(api.owner, { labels }) });
    const turned = Object.fromEntries(
      Object.entries(newInstance(api.owner, { labels: { two: '2', one: '1' } })).reverse(),
    );
    t.is((await post(api, 'order', { body: turned })).text, first.text);
  },
);

testOnEachDatabase('another request with a used key is refused', async (t, orm) => {
  const api = await startApi(t, orm);
  t.is((await post(api, 'used')).status, 201);
  const { id } = await addInstance(orm, {
    organizationId: api.owner.organizationId,
    status: 'FAILED',
  });
  for (const sent of [
    { body: newInstance(api.owner, { name: 'another' }) },
    { path: `${instances}/${id}/retry`, body: {} },
  ]) {
    isProblem(t, await post(api, 'used', sent), 'idempotency_key_reused');
  }
  t.is(await countInstances(api), 2);
});

testOnEachDatabase('the same key of another caller is another key', async (t, orm) => {
  const api = await startApi(t, orm);
  const { stranger } = api;
  const first = await post(api, 'mine');
  const body = newInstance(stranger);
  const other = await post(api, 'mine', { body, secret: stranger.secret });
  t.is(other.status, 201);
  t.not(other.body.instance.id, first.body.instance.id);
  t.is(await countInstances(api), 2);
});

testOnEachDatabase('after 24 hours a key is new again', async (t, orm) => {
  const api = await startApi(t, orm);
  const first = await post(api, 'old');
  api.clock.advance(dayMs);
  const again = await post(api, 'old', { body: newInstance(api.owner, { name: 'another' }) });
  t.is(again.status, 201);
  t.not(again.body.instance.id, first.body.instance.id);
  t.is(again.headers.get('Idempotent-Replayed'), null);
});

testOnEachDatabase('what failed may be sent again with its key', async (t, orm) => {
  const api = await startApi(t, orm);
  const unknown = newInstance(api.owner, { apiKeyIds: [newId('key')] });
  isProblem(t, await post(api, 'again', { body: unknown }), 'not_found');
  isProblem(t, await post(api, 'again', { body: { no: 'field' } }), 'invalid_request');
  t.is((await post(api, 'again')).status, 201);
});

testOnEachDatabase('a request that never ended stays under way for 24 hours', async (t, orm) => {
  const api = await startApi(t, orm);
  await post(api, 'crashed');
  await orm.em.fork().nativeUpdate(IdempotencyRecordEntity, {}, { answerSealed: null });
  isProblem(t, await post(api, 'crashed'), 'idempotency_in_flight');
  t.is(await countInstances(api), 1);
  api.clock.advance(dayMs);
  t.is((await post(api, 'crashed')).status, 201);
});

testOnEachDatabase(
  'nothing of an answer, nor a hash of the request that can be guessed, is in the database',
  async (t, orm) => {
    const api = await startApi(t, orm);
    const { body } = await post(api, 'secret');
    const rows = await orm.em.fork().find(IdempotencyRecordEntity, {});
    t.is(rows.length, 1);
    t.false((await dumpDatabase(orm)).includes(body.createdDefaultKey.plainTextKey));
    const sent = JSON.stringify(newInstance(api.owner));
    const guesses = [sent, JSON.stringify(['post', instances, null, newInstance(api.owner)])];
    for (const guess of guesses) t.not(rows[0]?.fingerprint, sha256Hex(guess));
    // Sealed for its own row: put into another, it does not open.
    const em = orm.em.fork();
    await em.nativeUpdate(IdempotencyRecordEntity, { key: 'secret' }, { key: 'moved' });
    isProblem(t, await post(api, 'moved'), 'internal_error');
  },
);

testOnEachDatabase('rows of more than 24 hours ago are removed, others stay', async (t, orm) => {
  const api = await startApi(t, orm);
  await post(api, 'old');
  api.clock.advance(dayMs - 1);
  await post(api, 'new');
  const keys = async (): Promise<string[]> => {
    const rows = await orm.em.fork().find(IdempotencyRecordEntity, {});
    return rows.map(({ key }) => key).sort();
  };
  await removeOldRecords(api);
  t.deepEqual(await keys(), ['new', 'old']);
  api.clock.advance(1);
  await removeOldRecords(api);
  t.deepEqual(await keys(), ['new']);
});

testOnEachDatabase('an answer that goes on is replayed with its Location', async (t, orm) => {
  const api = await startApi(t, orm);
  const { id } = await addInstance(orm, {
    organizationId: api.owner.organizationId,
    status: 'FAILED',
  });
  const path = `${instances}/${id}/retry`;
  const first = await post(api, 'retry', { path, body: {} });
  const again = await post(api, 'retry', { path, body: {} });
  t.is(first.status, 202);
  t.is(first.headers.get('Retry-After'), '1');
  t.like(again, { status: 202, text: first.text });
  t.is(again.headers.get('Location'), first.headers.get('Location'));
  t.is(again.headers.get('Retry-After'), '1');
});

test('a key of 1 to 255 visible ASCII characters is taken, any other refused by name', async (t) => {
  const { api } = await startEmbeddedApi(t);
  for (const key of ['x', '!~', '"8e03978e-40d5-43dd-bc93-6894a57f9324"', 'x'.repeat(255)]) {
    t.is((await post(api, key)).status, 201, key);
  }
  const made = await countInstances(api);
  for (const key of ['', 'x'.repeat(256), 'two words', 'tab\there', 'caf\u00e9']) {
    const answer = await post(api, key);
    isProblem(t, answer, 'invalid_request');
    t.is(answer.body.errors[0].pointer, 'Idempotency-Key');
  }
  t.is(await countInstances(api), made);
});

test('a key is of no meaning where nothing is made', async (t) => {
  const api = await startApi(t, await openTestDatabase(t));
  const path = `${instances}?organizationId=${api.owner.organizationId}`;
  const headers = { 'Idempotency-Key': 'two words' };
  t.is((await api.call('get', path, { key: api.owner.secret, headers })).status, 200);
});
