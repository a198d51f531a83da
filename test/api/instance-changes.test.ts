/** Changes of instances: deletes, retries, and many at once. */

import { InstanceEntity } from '../../src/store/entities/instance.ts';
import { OperationEntity } from '../../src/store/entities/operation.ts';
import { documented, hasFields } from '../support/answers.ts';
import { newInstance, startApi } from '../support/api.ts';
import { testOnEachDatabase } from '../support/databases.ts';
import { addInstance, addOperation } from '../support/rows.ts';
import { testConfig } from '../support/test-config.ts';

const instances = '/api/v1/instances';

testOnEachDatabase(
  'deleting is accepted, begins at once, and is one however often',
  async (t, orm) => {
    const { own, owner, wakes } = await startApi(t, orm);
    const { organizationId } = owner;
    const { id } = await addInstance(orm, { organizationId, status: 'RUNNING' });
    const answer = await own('delete', `${instances}/${id}`);
    t.is(answer.status, 202);
    documented(t, `delete ${instances}/:instanceId`, answer);
    hasFields(t, answer.body, 'message instance operation');
    t.is(answer.body.message, 'Instance deletion initiated');
    t.deepEqual(answer.body.instance, { id, status: 'DELETING' });
    t.is(answer.headers.get('Location'), `/api/v1/operations/${answer.body.operation.id}`);
    t.is(wakes(), 1);

    const again = await own('delete', `${instances}/${id}`);
    t.is(again.status, 202);
    t.is(again.body.operation.id, answer.body.operation.id);
    t.is((await own('get', `${instances}/${id}`)).body.instance.status, 'DELETING');
  },
);

for (const status of ['PROVISIONING', 'RUNNING', 'FAILED'] as const) {
  testOnEachDatabase(
    `a ${status} instance can be deleted, and its open operation ends`,
    async (t, orm) => {
      const { own, owner } = await startApi(t, orm);
      const instance = await addInstance(orm, { organizationId: owner.organizationId, status });
      const { id } = await addOperation(orm, instance);
      t.is((await own('delete', `${instances}/${instance.id}`)).status, 202);
      t.is((await own('get', `/api/v1/operations/${id}`)).body.operation.status, 'SUPERSEDED');
    },
  );
}

testOnEachDatabase(
  'a failed instance is tried again: PROVISIONING, the reason gone',
  async (t, orm) => {
    const { own, owner, wakes } = await startApi(t, orm);
    const { id } = await addInstance(orm, {
      organizationId: owner.organizationId,
      status: 'FAILED',
      nodePort: 39_999,
      failureCode: 'port_in_use',
      failureMessage: 'taken',
      attempts: 3,
    });
    const answer = await own('post', `${instances}/${id}/retry`);
    t.is(answer.status, 202);
    documented(t, `post ${instances}/:instanceId/retry`, answer);
    t.like(answer.body.instance, { id, status: 'PROVISIONING', failure: null });
    t.like(answer.body.operation, { kind: 'retry', status: 'QUEUED', instanceId: id });
    t.is(wakes(), 1);
    const again = await own('post', `${instances}/${id}/retry`);
    t.is(again.status, 409);
    t.is(again.body.code, 'state_conflict');
    t.is(await orm.em.fork().count(OperationEntity, { instanceId: id }), 1);
  },
);

testOnEachDatabase(
  'twenty creates at once make twenty instances on twenty ports',
  async (t, orm) => {
    const { own, owner } = await startApi(t, orm);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => own('post', instances, newInstance(owner))),
    );
    for (const { status, text } of answers) t.is(status, 201, text);
    const rows = await orm.em.fork().find(InstanceEntity, {});
    t.is(rows.length, 20);
    t.is(new Set(rows.map(({ nodePort }) => nodePort)).size, 20);
  },
);

testOnEachDatabase('ten deletes at once make one operation', async (t, orm) => {
  const { own, owner } = await startApi(t, orm);
  const { organizationId } = owner;
  const { id } = await addInstance(orm, { organizationId, status: 'RUNNING' });
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => own('delete', `${instances}/${id}`)),
  );
  for (const { status, text } of answers) t.is(status, 202, text);
  t.is(new Set(answers.map(({ body }) => body.operation.id)).size, 1);
});

testOnEachDatabase('ten retries at once make one operation', async (t, orm) => {
  const { own, owner } = await startApi(t, orm);
  const { organizationId } = owner;
  const { id } = await addInstance(orm, { organizationId, status: 'FAILED' });
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => own('post', `${instances}/${id}/retry`)),
  );
  t.deepEqual(answers.map(({ status }) => status).sort(), [
    202,
    ...Array.from({ length: 9 }, () => 409),
  ]);
});

testOnEachDatabase(
  'when all ports are given, a create says so and leaves nothing',
  async (t, orm) => {
    const config = testConfig({ SWIFTCACHE_INSTANCE_PORTS: '39998-39999' });
    const { own, owner, wakes } = await startApi(t, orm, { config });
    const { organizationId } = owner;
    for (const nodePort of [39_998, 39_999]) await addInstance(orm, { organizationId, nodePort });
    const { status, body } = await own('post', instances, newInstance(owner));
    t.is(status, 503);
    t.is(body.code, 'no_free_port');
    t.is(await orm.em.fork().count(InstanceEntity, {}), 2);
    t.is(wakes(), 0);
  },
);
