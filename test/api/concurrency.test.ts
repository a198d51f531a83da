import { InstanceEntity } from '../../src/store/entities/instance.ts';
import { newInstance, startApi } from '../support/api.ts';
import { testOnEachDatabase } from '../support/databases.ts';
import { addInstance } from '../support/rows.ts';
import { testConfig } from '../support/test-config.ts';

const instances = '/api/v1/instances';

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
