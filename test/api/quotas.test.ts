/** Quotas and admission: no limit is passed, however many ask at once, and a refusal says the figures. */
import { containerMemoryMib } from '../../infra/sizing.ts';
import type { Orm } from '../../src/store/database.ts';
import { AuditEntryEntity } from '../../src/store/entities/audit-entry.ts';
import { InstanceEntity } from '../../src/store/entities/instance.ts';
import { OrganizationEntity } from '../../src/store/entities/organization.ts';
import { type Account, type Answer, type Api, newInstance, startApi } from '../support/api.ts';
import { testOnEachDatabase } from '../support/databases.ts';
import type { testPorts } from '../support/ports.ts';
import { addInstance } from '../support/rows.ts';

const instances = '/api/v1/instances';
const mib = 1024 * 1024;

async function setPlan(orm: Orm, { owner }: Api, plan: string): Promise<void> {
  await orm.em.fork().nativeUpdate(OrganizationEntity, { id: owner.organizationId }, { plan });
}

async function createMany(api: Api, count: number, maxMemory: number): Promise<Answer[]> {
  const create = () => api.own('post', instances, newInstance(api.owner, { maxMemory }));
  return await Promise.all(Array.from({ length: count }, create));
}

function countOf(answers: Answer[], status: number): number {
  return answers.filter((answer) => answer.status === status).length;
}

testOnEachDatabase(
  'of eight creates at once a plan for three lets three through',
  async (t, orm) => {
    const api = await startApi(t, orm);
    await setPlan(orm, api, 'free');
    const answers = await createMany(api, 8, 16 * mib);
    t.is(countOf(answers, 201), 3);
    const refused = answers.filter(({ status }) => status !== 201);
    for (const { status, body } of refused) {
      t.is(status, 402);
      t.is(body.code, 'quota_exceeded');
      t.deepEqual(body.limit, { name: 'instances', limit: 3, used: 3, requested: 1 });
      t.regex(body.detail, /allows 3 instances; 3 are in use/);
    }
    t.is(await orm.em.fork().count(InstanceEntity, {}), 3);
    t.is(await orm.em.fork().count(AuditEntryEntity, { outcome: 'refused' }), 5);
  },
);

testOnEachDatabase('the memory of all instances stays within the plan', async (t, orm) => {
  const api = await startApi(t, orm);
  await setPlan(orm, api, 'free');
  const answers = await createMany(api, 3, 1024 * mib);
  t.is(countOf(answers, 201), 2);
  const refusal = answers.find(({ status }) => status === 402);
  t.like(refusal?.body.limit, { name: 'memoryBytes', limit: 2048 * mib, used: 2048 * mib });
});

testOnEachDatabase(
  "a region's memory is never promised twice, and grows no further by PATCH",
  async (t, orm) => {
    const each = containerMemoryMib(64 * mib, false);
    const capacity = { containerMib: containerMemoryMib, regionMib: async () => each + 10 };
    const api = await startApi(t, orm, {
      capacity: capacity as ReturnType<typeof testPorts>['capacity'],
    });
    // Of different organizations, so that only the region's own lock is between them.
    const create = (account: Account): Promise<Answer> => {
      const body = newInstance(account, { maxMemory: 64 * mib });
      return api.call('post', instances, { key: account.secret, body });
    };
    const accounts = Array.from({ length: 6 }, (_, index) =>
      index % 2 ? api.owner : api.stranger,
    );
    const answers = await Promise.all(accounts.map(create));
    t.is(countOf(answers, 201), 1);
    const refusal = answers.find(({ status }) => status === 503);
    t.is(refusal?.body.code, 'region_full');
    t.like(refusal?.body.limit, { limit: 10, used: 0, requested: each });

    const created = answers.find(({ status }) => status === 201);
    const organizationId = created?.body.instance.organizationId;
    const { secret: key } = organizationId === api.owner.organizationId ? api.owner : api.stranger;
    const id: string = created?.body.instance.id;
    await orm.em.fork().nativeUpdate(InstanceEntity, { id }, { status: 'RUNNING' });
    const grown = await api.call('patch', `${instances}/${id}`, {
      key,
      body: { maxMemory: 128 * mib },
    });
    t.is(grown.body.code, 'region_full');
    t.is((await api.call('get', `${instances}/${id}`, { key })).body.instance.maxMemory, 64 * mib);
  },
);

testOnEachDatabase(
  'an instance larger than the plan allows is refused by its bounds',
  async (t, orm) => {
    const api = await startApi(t, orm);
    await setPlan(orm, api, 'free');
    const [answer] = await createMany(api, 1, 1025 * mib);
    t.is(answer?.status, 403);
    t.is(answer?.body.code, 'plan_limit');
    t.like(answer?.body.limit, {
      name: 'maxMemoryBytes',
      limit: 1024 * mib,
      requested: 1025 * mib,
    });
  },
);

testOnEachDatabase(
  'operations under way are bounded, and a delete is never refused for it',
  async (t, orm) => {
    const api = await startApi(t, orm);
    await setPlan(orm, api, 'free');
    const { organizationId } = api.owner;
    const rows = await Promise.all(
      Array.from({ length: 6 }, () => addInstance(orm, { organizationId, status: 'RUNNING' })),
    );
    const answers = await Promise.all(
      rows.map(({ id }) => api.own('post', `${instances}/${id}/restart`)),
    );
    t.is(countOf(answers, 202), 4);
    const refusal = answers.find(({ status }) => status === 429);
    t.is(refusal?.body.code, 'too_many_operations');
    t.truthy(refusal?.headers.get('Retry-After'));
    t.like(refusal?.body.limit, { name: 'operationsInFlight', limit: 4, used: 4 });
    const deleted = await Promise.all(
      rows.map(({ id }) => api.own('delete', `${instances}/${id}`)),
    );
    t.is(countOf(deleted, 202), 6);
  },
);

testOnEachDatabase(
  'what exists when a plan gets smaller can be made smaller too',
  async (t, orm) => {
    const api = await startApi(t, orm);
    const { organizationId } = api.owner;
    const rows = await Promise.all(
      Array.from({ length: 5 }, () => addInstance(orm, { organizationId, status: 'RUNNING' })),
    );
    await setPlan(orm, api, 'free');
    const path = `${instances}/${rows[0]?.id}`;
    t.is((await api.own('patch', path, { maxMemory: 32 * mib })).status, 202);
  },
);

testOnEachDatabase('a smaller size frees nothing of the plan until it is real', async (t, orm) => {
  const api = await startApi(t, orm);
  await setPlan(orm, api, 'free');
  const { organizationId } = api.owner;
  const size = { maxMemoryBytes: 1024 * mib, appliedMaxMemoryBytes: 1024 * mib };
  const row = await addInstance(orm, { organizationId, status: 'RUNNING', ...size });
  t.is((await api.own('patch', `${instances}/${row.id}`, { maxMemory: 16 * mib })).status, 202);
  const answers = await createMany(api, 2, 1024 * mib);
  t.is(countOf(answers, 201), 1);
});
