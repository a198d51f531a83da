/** The audit log: every change and every refused try, for an organization's admins, for good. */
import type { ExecutionContext } from 'ava';
import { changePlan, listPlans } from '../../src/accounts/change-plan.ts';
import { createOrganization } from '../../src/accounts/organizations.ts';
import { createAccountThrottle } from '../../src/accounts/throttle.ts';
import { newId } from '../../src/lib/ids.ts';
import type { EntityManager, Orm } from '../../src/store/database.ts';
import { AuditEntryEntity } from '../../src/store/entities/audit-entry.ts';
import { OrganizationEntity } from '../../src/store/entities/organization.ts';
import { type Api, startApi } from '../support/api.ts';
import { testOnEachDatabase } from '../support/databases.ts';
import { addAccountKey, addInvitation, addPerson, logInAs } from '../support/people.ts';
import { isProblem } from '../support/problems.ts';
import { addOrganization, someDate } from '../support/rows.ts';
import { testConfig } from '../support/test-config.ts';

interface Entry {
  readonly action: string;
  readonly outcome: string;
  readonly targetId: string | null;
  readonly [field: string]: unknown;
}

async function list({ own, owner }: Api, query = ''): Promise<Entry[]> {
  const answer = await own('get', `/api/v1/audit?organizationId=${owner.organizationId}${query}`);
  return answer.body.entries;
}

testOnEachDatabase('an entry says who did what to what, from where and when', async (t, orm) => {
  const api = await startApi(t, orm);
  const { organizationId } = api.owner;
  const ada = await logInAs(api, 'owner');
  const path = `/api/v1/organizations/${organizationId}`;
  const answer = await ada.call('patch', path, { name: 'renamed' });
  const [entry, ...others] = await list(api);
  t.deepEqual(others, []);
  t.deepEqual(entry, {
    id: entry?.id,
    organizationId,
    createdAt: '2024-01-15T10:30:00.000Z',
    actor: { kind: 'user', id: ada.userId },
    action: 'organization.update',
    outcome: 'done',
    targetId: organizationId,
    ip: '127.0.0.1',
    requestId: answer.headers.get('X-Request-Id'),
    details: { name: 'renamed' },
  });
});

testOnEachDatabase('a refused try is noted with its reason', async (t, orm) => {
  const api = await startApi(t, orm);
  const { organizationId } = api.owner;
  const { id, secret: key } = await addAccountKey(orm, { organizationId, role: 'developer' });
  const body = { role: 'owner' };
  const path = `/api/v1/organizations/${organizationId}/invitations`;
  isProblem(t, await api.call('post', path, { key, body }), 'forbidden');
  const [entry] = await list(api, '&outcome=refused');
  t.like(entry, {
    actor: { kind: 'account-key', id },
    action: 'invitation.create',
    outcome: 'refused',
    details: { code: 'forbidden' },
  });
});

testOnEachDatabase('entries come newest first, page by page and as asked for', async (t, orm) => {
  const api = await startApi(t, orm);
  const { organizationId } = api.owner;
  const start = api.clock.now().getTime();
  const invitations: string[] = [];
  for (let i = 0; i < 5; i += 1) {
    const { id } = await addInvitation(orm, organizationId);
    invitations.unshift(id);
    await api.own('delete', `/api/v1/organizations/${organizationId}/invitations/${id}`);
    await api.own('delete', `/api/v1/organizations/${organizationId}/invitations/${id}`);
    api.clock.advance(60_000);
  }
  const deleted = '&action=invitation.delete&outcome=done';
  t.deepEqual(targets(await list(api, deleted)), invitations);
  t.is((await list(api)).length, 10);
  const at = (minutes: number): string => new Date(start + minutes * 60_000).toISOString();
  const between = `${deleted}&from=${at(1)}&to=${at(3)}`;
  t.deepEqual(targets(await list(api, between)), invitations.slice(2, 4));
  // What was done, and the second try that was refused.
  const [, target = ''] = invitations;
  t.deepEqual(targets(await list(api, `&targetId=${target}`)), [target, target]);
  const seen: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const query: string = `${deleted}&limit=2${cursor && `&cursor=${cursor}`}`;
    const path = `/api/v1/audit?organizationId=${organizationId}${query}`;
    const { body } = await api.own('get', path);
    t.true(body.entries.length <= 2);
    seen.push(...targets(body.entries));
    cursor = body.nextCursor;
  }
  t.deepEqual(seen, invitations);
});

function targets(entries: readonly Entry[]): string[] {
  return entries.flatMap(({ targetId }) => (targetId === null ? [] : [targetId]));
}

testOnEachDatabase('what no filter can be is refused by its name', async (t, orm) => {
  const api = await startApi(t, orm);
  const bad: [string, string][] = [
    ['action=Robert%27);', 'action'],
    ['outcome=perhaps', 'outcome'],
    ['targetId=%00', 'targetId'],
    ['from=yesterday', 'from'],
    ['limit=0', 'limit'],
    ['limit=201', 'limit'],
    ['cursor=%00', 'cursor'],
    ['color=red', 'color'],
  ];
  for (const [query, pointer] of bad) {
    const path = `/api/v1/audit?organizationId=${api.owner.organizationId}&${query}`;
    const answer = await api.own('get', path);
    isProblem(t, answer, 'invalid_request');
    t.is(answer.body.errors[0].pointer, pointer);
  }
  t.deepEqual(await list(api, '&from=0001-01-01T00:00:00Z&to=9999-12-31T23:59:59Z'), []);
});

async function refusesSql(t: ExecutionContext, orm: Orm, sql: string): Promise<void> {
  const connection = (orm.em.fork() as EntityManager).getConnection();
  // What the embedded engine throws is no Error of this realm.
  const refusal = await connection.execute(sql).then(
    () => 'done',
    ({ message }: { message: string }) => message,
  );
  t.regex(refusal, /the audit log is append-only/, sql);
}

testOnEachDatabase(
  'the database refuses to change or remove an entry',
  async (t, orm, location) => {
    const em = orm.em.fork();
    const entry = {
      id: newId('aud'),
      createdAt: someDate,
      actorKind: 'system' as const,
      action: 'instance.expire',
      outcome: 'done' as const,
      details: {},
    };
    em.create(AuditEntryEntity, entry);
    await em.flush();
    await refusesSql(t, orm, "update audit_entries set action = 'nothing'");
    await refusesSql(t, orm, `delete from audit_entries where id = '${entry.id}'`);
    if (location.databaseUrl) await refusesSql(t, orm, 'truncate audit_entries');
    t.like(await orm.em.fork().findOne(AuditEntryEntity, { id: entry.id }), entry);
  },
);

testOnEachDatabase('a change whose entry cannot be written is not made', async (t, orm) => {
  const { userId } = await addPerson(orm);
  const services = {
    orm,
    clock: { now: () => someDate },
    config: testConfig(),
    accountThrottle: createAccountThrottle(),
  };
  // Nothing else is wrong with the change: only its entry has no table to go to.
  const connection = (orm.em.fork() as EntityManager).getConnection();
  await connection.execute('alter table audit_entries rename to audit_entries_gone');
  const caller = {
    kind: 'user' as const,
    id: userId,
    userId,
    ceiling: 'owner' as const,
    roles: new Map(),
    origin: { ip: null, requestId: null },
  };
  const before = await orm.em.fork().count(OrganizationEntity);
  await t.throwsAsync(createOrganization(services, caller, { name: 'unheard of' }));
  t.is(await orm.em.fork().count(OrganizationEntity), before);
});

testOnEachDatabase('the operator changes a plan, and it is noted', async (t, orm) => {
  const { id } = await addOrganization(orm);
  const services = { orm, clock: { now: () => someDate } };
  t.is(await changePlan(services, id, 'pro'), 'dedicated');
  const [row] = await listPlans(orm);
  t.is(row?.organization.plan, 'pro');
  t.like(await orm.em.fork().findOneOrFail(AuditEntryEntity, { organizationId: id }), {
    actorKind: 'system',
    action: 'organization.change-plan',
    details: { from: 'dedicated', to: 'pro' },
  });
  await t.throwsAsync(changePlan(services, id, 'golden'), { message: /free, pro, dedicated/ });
  await t.throwsAsync(changePlan(services, newId('org'), 'pro'), { code: 'not_found' });
  t.is(await orm.em.fork().count(AuditEntryEntity), 1);
});

testOnEachDatabase('an entry has the address that a trusted proxy names', async (t, orm) => {
  const named = '203.0.113.5';
  const cases: [hops: string, forwarded: string, ip: string][] = [
    ['0', named, '127.0.0.1'],
    ['1', named, named],
    // What stands before it, the caller may have made up.
    ['1', `198.51.100.7, ${named}`, named],
    ['2', `198.51.100.7, 198.51.100.8, ${named}`, '198.51.100.8'],
    ['1', 'no address', '127.0.0.1'],
    ['1', '1'.repeat(4_000), '127.0.0.1'],
  ];
  for (const [SWIFTCACHE_PROXY_HOPS, forwarded, ip] of cases) {
    const api = await startApi(t, orm, { config: testConfig({ SWIFTCACHE_PROXY_HOPS }) });
    const headers = { 'X-Forwarded-For': forwarded };
    const path = `/api/v1/organizations/${api.owner.organizationId}`;
    await api.call('patch', path, { key: api.owner.secret, headers, body: { name: 'renamed' } });
    t.is((await list(api))[0]?.ip, ip, `${SWIFTCACHE_PROXY_HOPS} ${forwarded.slice(0, 40)}`);
  }
});
