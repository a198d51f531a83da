/** Idempotency-Key: what is kept for it is bounded. */
import { removeOldRecords } from '../../src/http/idempotency.ts';
import { IdempotencyRecordEntity } from '../../src/store/entities/idempotency-record.ts';
import { type Answer, type Api, newInstance, startApi } from '../support/api.ts';
import { testOnEachDatabase } from '../support/databases.ts';
import { addPerson, addSession, password, sessionHeaders } from '../support/people.ts';
import { isProblem } from '../support/problems.ts';

const instances = '/api/v1/instances';
const dayMs = 24 * 3_600_000;

testOnEachDatabase('a log-out is done each time, and its key is not kept', async (t, orm) => {
  const { call, clock } = await startApi(t, orm);
  const { userId } = await addPerson(orm);
  for (const key of ['leave', 'leave', 'two words']) {
    const headers = sessionHeaders(await addSession(orm, userId, clock.now()));
    const logOut = { headers: { ...headers, 'Idempotency-Key': key } };
    const answer = await call('post', '/api/v1/auth/log-out', logOut);
    t.is(answer.status, 204);
    t.is(answer.headers.get('Idempotent-Replayed'), null);
    t.is((await call('get', '/api/v1/auth/session', { headers })).status, 401);
  }
  t.is(await orm.em.fork().count(IdempotencyRecordEntity), 0);
});

/** Rows of a scope, made at the given time. */
async function addRows(api: Api, scope: string, count: number, createdAtMs: number): Promise<void> {
  const keys = Array.from({ length: count }, (_, i) => `${createdAtMs}-${i}`);
  const rest = { scope, fingerprint: 'x', answerSealed: null, createdAtMs };
  await api.orm.em.fork().insertMany(
    IdempotencyRecordEntity,
    keys.map((key) => ({ key, ...rest })),
  );
}

testOnEachDatabase('nobody in particular has a bounded number of keys', async (t, orm) => {
  const api = await startApi(t, orm);
  const { email } = await addPerson(orm);
  const logIn = (key: string, cookie: string): Promise<Answer> => {
    const headers = { 'Idempotency-Key': key, Cookie: `__Host-swiftcache-session=${cookie}` };
    return api.call('post', '/api/v1/auth/log-in', { body: { email, password }, headers });
  };
  t.is((await logIn('first', 'a')).status, 200);
  const { scope } = await orm.em.fork().findOneOrFail(IdempotencyRecordEntity, { key: 'first' });
  await addRows(api, scope, 999, api.clock.now().getTime());
  const refused = await logIn('one-more', 'b');
  isProblem(t, refused, 'rate_limited');
  t.is(refused.headers.get('Retry-After'), '3600');
  // What is known is answered all the same, and so are callers who say who they are.
  t.is((await logIn('first', 'b')).headers.get('Idempotent-Replayed'), 'true');
  const headers = { 'Idempotency-Key': 'mine' };
  const body = newInstance(api.owner);
  const { status } = await api.call('post', instances, { key: api.owner.secret, headers, body });
  t.is(status, 201);
});

testOnEachDatabase('however many rows are old, all are removed', async (t, orm) => {
  const api = await startApi(t, orm);
  const nowMs = api.clock.now().getTime();
  for (const ageMs of [1, 2, 3]) await addRows(api, 'a', 700, nowMs - dayMs - ageMs);
  await addRows(api, 'a', 5, nowMs);
  await removeOldRecords(api);
  t.is(await orm.em.fork().count(IdempotencyRecordEntity), 5);
});
