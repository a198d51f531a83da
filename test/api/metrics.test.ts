/** GET /api/v1/instances/:instanceId/metrics. */
import type { ReadableInstance } from '../../src/metrics/looks.ts';
import type { Orm } from '../../src/store/database.ts';
import { type MetricPoint, MetricPointEntity } from '../../src/store/entities/metric-point.ts';
import { documented, hasFields } from '../support/answers.ts';
import { startApi } from '../support/api.ts';
import { testOnEachDatabase } from '../support/databases.ts';
import { reading } from '../support/metrics.ts';
import { isProblem, pointersOf } from '../support/problems.ts';
import { addInstance } from '../support/rows.ts';

const route = 'get /api/v1/instances/:instanceId/metrics';
const fields =
  'time commands bytesIn bytesOut hits misses evicted expired memoryUsed clients latencyP50Us latencyP99Us';
/** The test clock's time. */
const nowMs = Date.parse('2024-01-15T10:30:00.000Z');
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

const pathOf = ({ id }: { readonly id: string }, query = ''): string =>
  `/api/v1/instances/${id}/metrics${query}`;

async function addPoint(orm: Orm, changes: Partial<MetricPoint>): Promise<void> {
  const em = orm.em.fork();
  const { runId, serverTimeUs, ...values } = reading();
  em.create(MetricPointEntity, {
    ...values,
    instanceId: '',
    resolution: 'minute',
    atMs: nowMs,
    ...changes,
  });
  await em.flush();
}

const timesOf = ({ body }: { readonly body: { metrics: { time: string }[] } }): string[] =>
  body.metrics.map(({ time }) => time);

testOnEachDatabase('the last 24 hours come by minutes, with what they hold', async (t, orm) => {
  const { own, owner } = await startApi(t, orm);
  const { organizationId } = owner;
  const instance = await addInstance(orm, { organizationId, status: 'RUNNING' });
  const other = await addInstance(orm, { organizationId, status: 'RUNNING' });
  const instanceId = instance.id;
  const values = { commands: 1500, bytesIn: 524_288, bytesOut: 5_000_000_000, hits: 1200 };
  await addPoint(orm, {
    ...{ instanceId, ...values, misses: 300, evicted: 2, expired: 3, latency: { 1: 99, 1024: 1 } },
    atMs: nowMs - 5 * minuteMs,
    memoryUsed: 7_000_000_000,
    clients: 4,
  });
  await addPoint(orm, { instanceId, atMs: nowMs - 24 * hourMs, commands: 1 });
  await addPoint(orm, { instanceId, atMs: nowMs - 24 * hourMs - minuteMs, commands: 9 });
  await addPoint(orm, { instanceId: other.id, commands: 9 });

  const answer = await own('get', pathOf(instance));
  t.is(answer.status, 200);
  documented(t, route, answer);
  hasFields(t, answer.body, 'metrics current');
  const [first, second, ...others] = answer.body.metrics;
  hasFields(t, first, fields);
  t.is(first.time, '2024-01-14T10:30:00.000Z');
  t.is(first.latencyP50Us, null);
  t.deepEqual(second, {
    time: '2024-01-15T10:25:00.000Z',
    ...values,
    ...{ misses: 300, evicted: 2, expired: 3, memoryUsed: 7_000_000_000, clients: 4 },
    latencyP50Us: 1,
    latencyP99Us: 1,
  });
  t.deepEqual(others, []);
  t.deepEqual(answer.body.current, second);
});

testOnEachDatabase('a range may be asked for, and steps are whole and aligned', async (t, orm) => {
  const { own, owner } = await startApi(t, orm);
  const { organizationId } = owner;
  const instance = await addInstance(orm, { organizationId, status: 'STOPPED' });
  const instanceId = instance.id;
  for (const minutes of [1, 4, 5, 9, 10]) {
    const latency = { 2: minutes };
    const atMs = nowMs - minutes * minuteMs;
    await addPoint(orm, {
      instanceId,
      atMs,
      commands: minutes,
      memoryUsed: 100 + minutes,
      latency,
    });
  }
  await addPoint(orm, {
    instanceId,
    resolution: 'hour',
    atMs: nowMs - 48.5 * hourMs,
    commands: 70,
  });

  const byFive = await own('get', pathOf(instance, '?step=300'));
  t.deepEqual(
    byFive.body.metrics.map((point: { time: string; commands: number; memoryUsed: number }) => [
      point.time.slice(11, 16),
      point.commands,
      point.memoryUsed,
    ]),
    [
      ['10:20', 19, 109],
      ['10:25', 10, 101],
    ],
  );
  const part = await own(
    'get',
    pathOf(instance, '?from=2024-01-15T10:21:30Z&to=2024-01-15T11:29:00%2B01:00'),
  );
  t.deepEqual(timesOf(part), [
    '2024-01-15T10:21:00.000Z',
    '2024-01-15T10:25:00.000Z',
    '2024-01-15T10:26:00.000Z',
  ]);
  const old = await own(
    'get',
    pathOf(instance, '?from=2024-01-13T10:30:00Z&to=2024-01-13T12:00:00Z'),
  );
  t.deepEqual(timesOf(old), ['2024-01-13T10:00:00.000Z']);
  const days = await own('get', pathOf(instance, '?from=2024-01-01T00:00:00Z&step=86400'));
  t.deepEqual(
    days.body.metrics.map(({ commands }: { commands: number }) => commands),
    [70, 29],
  );
  const current = await own('get', pathOf(instance, '?to=2020-01-01T00:00:00Z'));
  t.deepEqual(current.body.metrics, []);
  t.is(current.body.current.commands, 1);
});

testOnEachDatabase('what cannot be answered names its field', async (t, orm) => {
  const { own, owner } = await startApi(t, orm);
  const { organizationId } = owner;
  const instance = await addInstance(orm, { organizationId, status: 'RUNNING' });
  const wrong: [string, string][] = [
    ['?step=59', 'step'],
    ['?step=90', 'step'],
    ['?step=0', 'step'],
    ['?step=-60', 'step'],
    ['?step=86460', 'step'],
    ['?step=fast', 'step'],
    ['?step=60&step=120', 'step'],
    ['?step=1e999', 'step'],
    ['?from=yesterday', 'from'],
    ['?from=2024-01-15', 'from'],
    ['?from=2024-02-30T00:00:00Z', 'from'],
    ['?to=1705314600', 'to'],
    ['?from=2024-01-15T10:30:00Z', 'from'],
    ['?from=2024-01-15T10:00:00Z&to=2024-01-15T09:00:00Z', 'from'],
    ['?from=2024-01-08T10:30:00Z', 'step'],
    ['?from=0001-01-01T00:00:00Z&to=9999-12-31T23:59:59Z&step=86400', 'step'],
    ['?until=2024-01-15T10:30:00Z', 'until'],
  ];
  for (const [query, field] of wrong) {
    const answer = await own('get', pathOf(instance, query));
    isProblem(t, answer, 'invalid_request');
    t.deepEqual(pointersOf(answer), [field], query);
  }
  const week = '?from=2024-01-08T10:30:00Z';
  t.regex((await own('get', pathOf(instance, week))).text, /at least 420/);
  t.is((await own('get', pathOf(instance, `${week}&step=420`))).status, 200);
});

testOnEachDatabase('a running instance is looked at first, others are not', async (t, orm) => {
  const looked: string[] = [];
  const refresh = async ({ id }: ReadableInstance): Promise<void> => {
    looked.push(id);
    await addPoint(orm, { instanceId: id, commands: 42 });
  };
  const { own, owner, stranger, call } = await startApi(t, orm, { metrics: { refresh } });
  const { organizationId } = owner;
  const running = await addInstance(orm, { organizationId, status: 'RUNNING' });
  const { body } = await own('get', pathOf(running));
  t.is(body.current.commands, 42);
  t.deepEqual(body.metrics, [body.current]);
  for (const status of ['STOPPED', 'FAILED', 'PROVISIONING', 'DELETING'] as const) {
    const answer = await own('get', pathOf(await addInstance(orm, { organizationId, status })));
    documented(t, route, answer);
    t.deepEqual(answer.body.metrics, []);
    t.like(answer.body.current, { commands: 0, hits: 0, memoryUsed: null, latencyP99Us: null });
  }
  isProblem(t, await call('get', pathOf(running), { key: stranger.secret }), 'not_found');
  const deleted = await addInstance(orm, { organizationId, status: 'DELETED' });
  isProblem(t, await own('get', pathOf(deleted)), 'not_found');
  t.deepEqual(looked, [running.id]);
});
