/** Upgrades of one instance to the image of today, as the API takes them. */
import { AuditEntryEntity } from '../../src/store/entities/audit-entry.ts';
import { documented } from '../support/answers.ts';
import { startApi } from '../support/api.ts';
import { testOnEachDatabase } from '../support/databases.ts';
import { addInstance, readInstance } from '../support/rows.ts';
import { testConfig } from '../support/test-config.ts';

const instances = '/api/v1/instances';
const offered = testConfig().redisImage;
const former = `registry.internal:5000/redis@sha256:${'b'.repeat(64)}`;

testOnEachDatabase(
  'an upgrade is accepted, begins at once, and says what becomes of the data',
  async (t, orm) => {
    const { own, owner, wakes } = await startApi(t, orm);
    const { organizationId } = owner;
    const row = { organizationId, status: 'RUNNING', image: former, persistence: true } as const;
    const { id } = await addInstance(orm, row);
    const shown = (await own('get', `${instances}/${id}`)).body.instance;
    t.like(shown, { image: 'sha256:bbbbbbbbbbbb', upgradeAvailable: true });
    const listed = (await own('get', `${instances}?organizationId=${organizationId}`)).body;
    t.like(listed.instances[0], { image: 'sha256:bbbbbbbbbbbb', upgradeAvailable: true });

    const answer = await own('post', `${instances}/${id}/upgrade`);
    t.is(answer.status, 202);
    documented(t, `post ${instances}/:instanceId/upgrade`, answer);
    t.like(answer.body.instance, { id, status: 'RUNNING', upgradeAvailable: false });
    t.like(answer.body.operation, { kind: 'upgrade', status: 'QUEUED', instanceId: id });
    t.true(answer.body.dataKept);
    t.is(wakes(), 1);
    t.like(await readInstance(orm, id), { image: offered, generation: 2, appliedGeneration: 1 });
    const entry = await orm.em.fork().findOneOrFail(AuditEntryEntity, { targetId: id });
    t.like(entry, { action: 'instance.upgrade', outcome: 'done' });
    t.like(entry.details, { from: 'sha256:bbbbbbbbbbbb', to: 'sha256:aaaaaaaaaaaa' });
    t.false(answer.text.includes('registry.internal'), "a registry's address was told");

    const again = await own('post', `${instances}/${id}/upgrade`);
    t.is(again.status, 409);
    t.is(again.body.code, 'state_conflict');
  },
);

testOnEachDatabase(
  'only an instance that runs is upgraded, and one without persistence is told so',
  async (t, orm) => {
    const { own, owner } = await startApi(t, orm);
    const { organizationId } = owner;
    for (const status of ['PROVISIONING', 'STOPPED', 'FAILED'] as const) {
      const { id } = await addInstance(orm, { organizationId, status, image: former });
      const answer = await own('post', `${instances}/${id}/upgrade`);
      t.is(answer.status, 409, status);
      t.is((await readInstance(orm, id)).image, former);
    }
    const { id } = await addInstance(orm, { organizationId, status: 'RUNNING', image: former });
    t.false((await own('post', `${instances}/${id}/upgrade`)).body.dataKept);
  },
);
