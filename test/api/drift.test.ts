/** Drift as the API shows it: the policy, the notes, and the ways out of lost data. */
import { AuditEntryEntity } from '../../src/store/entities/audit-entry.ts';
import type { Instance } from '../../src/store/entities/instance.ts';
import { newInstance, startApi } from '../support/api.ts';
import { testOnEachDatabase } from '../support/databases.ts';
import { isProblem } from '../support/problems.ts';
import { addInstance, readInstance } from '../support/rows.ts';

const instances = '/api/v1/instances';
const since = '2030-01-01T00:00:00.000Z';
const paused = { kind: 'container_paused', detail: 'Its container is paused.', since };
const lost = { kind: 'data_volume_missing', detail: 'It is gone.', since };
const degraded: Partial<Instance> = {
  status: 'DEGRADED',
  generation: 4,
  nodeHost: '127.0.0.1',
  nodePort: 12_345,
};

testOnEachDatabase(
  'the policy is repair unless told otherwise, and can be changed',
  async (t, orm) => {
    const api = await startApi(t, orm);
    const first = await api.own('post', instances, newInstance(api.owner));
    t.is(first.body.instance.driftPolicy, 'repair');
    t.deepEqual(first.body.instance.drift, []);
    const body = { ...newInstance(api.owner), name: 'two', driftPolicy: 'report' };
    const path = `${instances}/${(await api.own('post', instances, body)).body.instance.id}`;
    const before = await api.own('get', path);
    t.is(before.body.instance.driftPolicy, 'report');
    const changed = await api.own('patch', path, { driftPolicy: 'repair' });
    t.is(changed.status, 200);
    t.is(changed.body.operation, null);
    t.is(changed.body.instance.driftPolicy, 'repair');
    t.not(changed.headers.get('ETag'), before.headers.get('ETag'));
    isProblem(t, await api.own('patch', path, { driftPolicy: 'ignore' }), 'invalid_request');
  },
);

testOnEachDatabase('what differs is shown, in lists too, and lists find it', async (t, orm) => {
  const { own, owner } = await startApi(t, orm);
  const { organizationId } = owner;
  const { id } = await addInstance(orm, { ...degraded, organizationId, drift: [paused] });
  await addInstance(orm, { organizationId, status: 'RUNNING', nodePort: 12_346 });
  t.deepEqual((await own('get', `${instances}/${id}`)).body.instance.drift, [paused]);
  const list = await own('get', `${instances}?organizationId=${organizationId}&status=DEGRADED`);
  t.is(list.body.instances.length, 1);
  t.like(list.body.instances[0], { id, status: 'DEGRADED', drift: [paused] });
});

testOnEachDatabase('a retry mends what is DEGRADED, whatever its policy', async (t, orm) => {
  const { own, owner, wakes } = await startApi(t, orm);
  const { organizationId } = owner;
  const { id } = await addInstance(orm, {
    ...degraded,
    organizationId,
    driftPolicy: 'report',
    drift: [paused],
  });
  const { status, body } = await own('post', `${instances}/${id}/retry`);
  t.is(status, 202);
  t.like(body.operation, { kind: 'retry', status: 'QUEUED' });
  t.is(wakes(), 1);
  const row = await readInstance(orm, id);
  t.like(row, { generation: 5, appliedGeneration: 4, emptyVolumeGeneration: 0 });
  // The notes stay: the run mends by them.
  t.is(row.drift.length, 1);
  // It is being worked on.
  isProblem(t, await own('post', `${instances}/${id}/retry`), 'state_conflict');
});

testOnEachDatabase('lost data is given up by its owner alone, in so many words', async (t, orm) => {
  const { own, owner } = await startApi(t, orm);
  const { organizationId } = owner;
  const { id } = await addInstance(orm, {
    ...degraded,
    organizationId,
    drift: [lost],
    failureCode: 'data_volume_missing',
    persistence: true,
  });
  const path = `${instances}/${id}/retry`;
  isProblem(t, await own('post', path), 'data_volume_missing');
  isProblem(t, await own('post', path, { acceptDataLoss: false }), 'data_volume_missing');
  isProblem(t, await own('post', path, { acceptDataLoss: 'yes' }), 'invalid_request');
  isProblem(t, await own('post', path, { accept: true }), 'invalid_request');
  t.like(await readInstance(orm, id), { generation: 4, emptyVolumeGeneration: 0 });
  t.is((await own('post', path, { acceptDataLoss: true })).status, 202);
  t.like(await readInstance(orm, id), { generation: 5, emptyVolumeGeneration: 5 });
  const entries = await orm.em.fork().find(AuditEntryEntity, { action: 'instance.retry' });
  t.deepEqual(
    entries.flatMap(({ outcome, details }) => (outcome === 'done' ? [details.acceptDataLoss] : [])),
    [true],
  );
});

testOnEachDatabase('nobody accepts a loss in advance', async (t, orm) => {
  const { own, owner } = await startApi(t, orm);
  const { organizationId } = owner;
  const { id } = await addInstance(orm, { ...degraded, organizationId, drift: [paused] });
  const answer = await own('post', `${instances}/${id}/retry`, { acceptDataLoss: true });
  t.is(answer.status, 202);
  t.is((await readInstance(orm, id)).emptyVolumeGeneration, 0);
});
