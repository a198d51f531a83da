/** An operation followed live, by a real client of server-sent events. */
import type { ExecutionContext } from 'ava';
import { issueAccountKey } from '../../src/accounts/account-keys.ts';
import { createEventStreams, type StreamTimes } from '../../src/http/event-streams.ts';
import { pollUntil } from '../../src/lib/retry.ts';
import type { Orm } from '../../src/store/database.ts';
import { AccountKeyEntity } from '../../src/store/entities/account-key.ts';
import { type Operation, OperationEntity } from '../../src/store/entities/operation.ts';
import { hasFields } from '../support/answers.ts';
import { type Api, startApi } from '../support/api.ts';
import { testOnEachDatabase } from '../support/databases.ts';
import { type OpenedStream, openStream, type SentEvent } from '../support/event-stream.ts';
import { captureLog } from '../support/log-lines.ts';
import { addAccountKey, addPerson } from '../support/people.ts';
import { isProblem } from '../support/problems.ts';
import { addInstance, addOperation, someDate } from '../support/rows.ts';

const quick: StreamTimes = {
  pollMs: 20,
  recheckMs: 100,
  heartbeatMs: 60_000,
  lifetimeMs: 60_000,
  cutAfterMs: 60_000,
};

interface Followed {
  readonly api: Api;
  readonly path: string;
  readonly streams: ReturnType<typeof createEventStreams>;
  open(secret?: string): Promise<OpenedStream>;
  write(changes: Partial<Operation>): Promise<void>;
}

/** The API with an operation that a test writes to as another server would. */
async function follow(
  t: ExecutionContext,
  orm: Orm,
  changes: Partial<Operation> = {},
  times: Partial<StreamTimes> = {},
): Promise<Followed> {
  const streams = createEventStreams(captureLog('debug').logger, { ...quick, ...times });
  const api = await startApi(t, orm, { streams });
  const instance = await addInstance(orm, { organizationId: api.owner.organizationId });
  const { id } = await addOperation(orm, instance, changes);
  const path = `/api/v1/operations/${id}/events`;
  return {
    api,
    path,
    streams,
    open: (secret = api.owner.secret) => openStream(t, api.url + path, secret),
    async write(written) {
      await orm.em.fork().nativeUpdate(OperationEntity, { id }, written);
    },
  };
}

async function allGone({ streams }: Followed): Promise<boolean> {
  const isNone = async () => streams.count() === 0 || undefined;
  return await pollUntil(isNone, { timeoutMs: 5_000, intervalMs: 10 });
}

testOnEachDatabase('each change is sent once, then the end, under growing ids', async (t, orm) => {
  const followed = await follow(t, orm);
  const { status, headers, next, rest } = await followed.open();
  t.is(status, 200);
  t.is(headers.get('Content-Type'), 'text/event-stream');
  t.is(headers.get('X-Accel-Buffering'), 'no');
  t.is(headers.get('Cache-Control'), 'no-store');
  const first = (await next()) as SentEvent;
  t.like(first, { event: 'operation', id: 1, data: { status: 'QUEUED', progress: 0 } });
  hasFields(
    t,
    first.data,
    'id kind instanceId status progress steps error createdAt startedAt finishedAt',
  );
  const steps = [{ name: 'container', startedAt: someDate.toISOString(), finishedAt: null }];
  await followed.write({ status: 'RUNNING', progress: 40, steps });
  t.like(await next(), { event: 'operation', id: 2, data: { status: 'RUNNING', steps } });
  await followed.write({ status: 'SUCCEEDED', progress: 100, finishedAt: someDate });
  const [last, end, ...more] = await rest();
  t.like(last, { event: 'operation', id: 3, data: { status: 'SUCCEEDED', progress: 100 } });
  t.deepEqual(end, { event: 'end', id: 4, data: {} });
  t.deepEqual(more, []);
  t.true(await allGone(followed));
});

for (const status of ['SUCCEEDED', 'FAILED', 'SUPERSEDED'] as const) {
  testOnEachDatabase(`what has ended as ${status} is told, and the stream ends`, async (t, orm) => {
    const { open } = await follow(t, orm, { status });
    const events = (await (await open()).rest()) as SentEvent[];
    t.deepEqual(
      events.map(({ event }) => event),
      ['operation', 'end'],
    );
    t.is(events[0]?.data.status, status);
  });
}

testOnEachDatabase('a client that leaves leaves nothing behind', async (t, orm) => {
  const followed = await follow(t, orm);
  const opened = await Promise.all([followed.open(), followed.open(), followed.open()]);
  for (const { next } of opened) t.like(await next(), { id: 1 });
  t.is(followed.streams.count(), 3);
  for (const { leave } of opened) leave();
  t.true(await allGone(followed));
  // A client that asks for the headers alone takes nothing either.
  const { status } = await followed.api.own('head', followed.path);
  t.is(status, 200);
  t.true(await allGone(followed));
});

testOnEachDatabase('a caller has ten streams, and another caller its own', async (t, orm) => {
  const followed = await follow(t, orm);
  const opened = await Promise.all(Array.from({ length: 10 }, () => followed.open()));
  for (const { status } of opened) t.is(status, 200);
  const refused = await followed.api.own('get', followed.path);
  isProblem(t, refused, 'rate_limited');
  t.is(refused.headers.get('Retry-After'), '10');
  const { organizationId } = followed.api.owner;
  const { secret } = await addKey(orm, organizationId);
  t.is((await followed.open(secret)).status, 200);
  opened[0]?.leave();
  const reopened = async () => (await followed.open()).status === 200 || undefined;
  t.true(await pollUntil(reopened, { timeoutMs: 5_000, intervalMs: 50 }));
});

testOnEachDatabase('a person has ten streams, however many keys they make', async (t, orm) => {
  const followed = await follow(t, orm);
  const { userId } = await addPerson(orm, { [followed.api.owner.organizationId]: 'viewer' });
  const personalKey = async () => (await addAccountKey(orm, { userId, role: 'owner' })).secret;
  for (let i = 0; i < 10; i += 1) t.is((await followed.open(await personalKey())).status, 200);
  const refused = await followed.api.call('get', followed.path, { key: await personalKey() });
  isProblem(t, refused, 'rate_limited');
  t.like(refused.body.limit, { name: 'eventStreamsPerCaller', limit: 10 });
});

testOnEachDatabase('a stream ends once its key is removed', async (t, orm) => {
  const followed = await follow(t, orm);
  const { secret, id } = await addKey(orm, followed.api.owner.organizationId);
  const { next, rest } = await followed.open(secret);
  t.like(await next(), { id: 1 });
  await orm.em.fork().nativeDelete(AccountKeyEntity, { id });
  t.deepEqual(await rest(), []);
  t.true(await allGone(followed));
});

testOnEachDatabase(
  'when the service stops, streams end at once and none begins',
  async (t, orm) => {
    const followed = await follow(t, orm);
    const { next, rest } = await followed.open();
    t.like(await next(), { id: 1 });
    followed.streams.close();
    t.deepEqual(await rest(), []);
    isProblem(t, await followed.api.own('get', followed.path), 'shutting_down');
    t.true(await allGone(followed));
  },
);

testOnEachDatabase(
  'a quiet stream is kept alive by comments, for a bounded time',
  async (t, orm) => {
    const followed = await follow(t, orm, {}, { heartbeatMs: 50, lifetimeMs: 2_000 });
    const [first, ...comments] = await (await followed.open()).rest();
    t.like(first, { id: 1 });
    t.true(comments.length >= 2, String(comments.length));
    for (const comment of comments) t.is(comment, ': still here');
    t.true(await allGone(followed));
  },
);

testOnEachDatabase("another's operation is not there to follow", async (t, orm) => {
  const { api, path } = await follow(t, orm);
  isProblem(t, await api.call('get', path, { key: api.stranger.secret }), 'not_found');
});

async function addKey(orm: Orm, organizationId: string): Promise<{ id: string; secret: string }> {
  const clock = { now: () => new Date('2024-01-15T10:30:00.000Z') };
  return await issueAccountKey({ orm, clock }, { organizationId, name: 'another key' });
}
