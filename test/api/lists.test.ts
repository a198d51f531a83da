/** Lists of instances: pages, filters, and what is no filter. */
import test from 'ava';
import { InstanceEntity } from '../../src/store/entities/instance.ts';
import { type Api, startApi } from '../support/api.ts';
import { testOnEachDatabase } from '../support/databases.ts';
import { isProblem, pointersOf, startEmbeddedApi } from '../support/problems.ts';
import { addInstance, someDate } from '../support/rows.ts';

const instances = '/api/v1/instances';

interface Listed {
  readonly names: string[];
  readonly nextCursor: string | null;
}

async function list({ own, owner }: Api, query = ''): Promise<Listed> {
  const path = `${instances}?organizationId=${owner.organizationId}${query}`;
  const { status, body, text } = await own('get', path);
  if (status !== 200) throw new Error(text);
  return {
    names: body.instances.map(({ name }: { name: string }) => name),
    nextCursor: body.nextCursor,
  };
}

/** Instances of one moment by name, so that only their ids put them in order, and one before and after. */
async function addMany({ orm, owner }: Api, names: readonly string[]): Promise<string[]> {
  const rows: { id: string; name: string }[] = [];
  for (const name of names) {
    rows.push(await addInstance(orm, { organizationId: owner.organizationId, name }));
  }
  return rows.sort((one, other) => (one.id < other.id ? -1 : 1)).map(({ name }) => name);
}

testOnEachDatabase('pages show each instance once, in order, to the last', async (t, orm) => {
  const api = await startApi(t, orm);
  const names = await addMany(api, ['a', 'b', 'c', 'd', 'e']);
  const later = new Date(someDate.getTime() + 1);
  await addInstance(orm, {
    organizationId: api.owner.organizationId,
    name: 'last',
    createdAt: later,
  });
  const seen: string[] = [];
  let cursor = '';
  for (let page = 0; page < 3; page += 1) {
    const { names: shown, nextCursor } = await list(api, `&limit=2${cursor}`);
    t.is(shown.length, 2);
    seen.push(...shown);
    t.is(nextCursor === null, page === 2);
    cursor = `&cursor=${nextCursor}`;
  }
  t.deepEqual(seen, [...names, 'last']);
  t.is((await list(api, '&limit=6')).nextCursor, null);
});

testOnEachDatabase('a page goes on where it stopped, whatever came and went', async (t, orm) => {
  const api = await startApi(t, orm);
  const [first, second, third] = await addMany(api, ['a', 'b', 'c']);
  const { names, nextCursor } = await list(api, '&limit=2');
  t.deepEqual(names, [first, second]);
  await orm.em.fork().nativeUpdate(InstanceEntity, { name: second ?? '' }, { status: 'DELETED' });
  t.deepEqual((await list(api, `&limit=2&cursor=${nextCursor}`)).names, [third]);
});

testOnEachDatabase('filters by status, region and name hold together', async (t, orm) => {
  const api = await startApi(t, orm);
  const { organizationId } = api.owner;
  const add = (name: string, changes: object) =>
    addInstance(orm, { organizationId, name, ...changes });
  await add('one', { status: 'RUNNING' });
  await add('two', { status: 'FAILED' });
  await add('three', { status: 'STOPPED', region: 'us-east' });
  await add('four', { status: 'RUNNING', region: 'us-east' });
  await add("it's 50% \\ _", { status: 'DELETING' });
  await add('gone', { status: 'DELETED' });
  const names = async (query: string) => (await list(api, query)).names.sort();
  t.deepEqual(await names('&status=RUNNING'), ['four', 'one']);
  t.deepEqual(await names('&status=FAILED,STOPPED'), ['three', 'two']);
  t.deepEqual(await names('&status=FAILED&status=STOPPED,RUNNING'), [
    'four',
    'one',
    'three',
    'two',
  ]);
  t.deepEqual(await names('&region=us-east'), ['four', 'three']);
  t.deepEqual(await names('&region=us-east&status=RUNNING'), ['four']);
  t.deepEqual(await names('&name=one'), ['one']);
  t.deepEqual(await names('&name=on'), []);
  t.deepEqual(await names('&name=%25'), []);
  t.deepEqual(await names('&name=gone'), []);
  t.deepEqual(await names(`&name=${encodeURIComponent("it's 50% \\ _")}`), ["it's 50% \\ _"]);
  t.deepEqual(await names('&region=nowhere'), []);
});

testOnEachDatabase('filters by label: there, with a value, and several at once', async (t, orm) => {
  const api = await startApi(t, orm);
  const { organizationId } = api.owner;
  const labelled: Record<string, Record<string, string>> = {
    none: {},
    staging: { environment: 'staging', team: 'a' },
    production: { environment: 'production', team: 'a' },
    empty: { environment: '' },
    number: { '0': '1', 'a-b_c': 'true' },
    words: { constructor: 'null', id: 'it\'s: 100% "it", {a}' },
  };
  for (const [name, labels] of Object.entries(labelled)) {
    await addInstance(orm, { organizationId, name, labels });
  }
  const names = async (...labels: string[]) => {
    const query = labels.map((label) => `&label=${encodeURIComponent(label)}`).join('');
    return (await list(api, query)).names.sort();
  };
  t.deepEqual(await names('environment'), ['empty', 'production', 'staging']);
  t.deepEqual(await names('environment:staging'), ['staging']);
  t.deepEqual(await names('environment:'), ['empty']);
  t.deepEqual(await names('environment', 'team:a'), ['production', 'staging']);
  t.deepEqual(await names('environment:staging', 'environment:production'), []);
  t.deepEqual(await names('team:b'), []);
  t.deepEqual(await names('0:1'), ['number']);
  t.deepEqual(await names('a-b_c:true'), ['number']);
  t.deepEqual(await names('a-b_c'), ['number']);
  t.deepEqual(await names('constructor:null'), ['words']);
  t.deepEqual(await names('constructor'), ['words']);
  t.deepEqual(await names('id:it\'s: 100% "it", {a}'), ['words']);
  t.deepEqual(await names('missing'), []);
});

testOnEachDatabase(
  'values that a database could take for its own are only values',
  async (t, orm) => {
    const api = await startApi(t, orm);
    await addMany(api, ['a']);
    for (const value of ["' or '1'='1", '$.x', '%', '?', ':a', '{"$ne":""}', '\\', '[0]']) {
      t.deepEqual((await list(api, `&label=a:${encodeURIComponent(value)}`)).names, [], value);
      const text = encodeURIComponent(value);
      t.deepEqual((await list(api, `&name=${text}`)).names, [], value);
    }
  },
);

const wrong: Record<string, string[]> = {
  limit: ['0', '201', '-1', '1.5', 'many', ''],
  cursor: ['x', Buffer.from('1.inst_').toString('base64url'), 'x'.repeat(129)],
  'status.0': ['running', 'DELETED', ''],
  name: ['', '%00', '%20a', 'x'.repeat(65)],
  'label.0': ['', ':a', 'Upper', 'a:%00', `a:${'x'.repeat(257)}`, "a'b", 'a.b', '$a', '__proto__'],
  region: ['%00', 'x'.repeat(65), "'"],
};

for (const [field, values] of Object.entries(wrong)) {
  test(`a list is refused for a wrong ${field}, by name`, async (t) => {
    const { api } = await startEmbeddedApi(t);
    const [name] = field.split('.');
    for (const value of values) {
      const query = `?organizationId=${api.owner.organizationId}&${name}=${value}`;
      const answer = await api.own('get', instances + query);
      isProblem(t, answer, 'invalid_request');
      t.deepEqual(pointersOf(answer), [field], value);
    }
  });
}

test('what may be given once is refused where it is repeated', async (t) => {
  const { api } = await startEmbeddedApi(t);
  for (const name of ['name', 'region', 'limit', 'cursor']) {
    const query = `?organizationId=${api.owner.organizationId}&${name}=1&${name}=1`;
    const answer = await api.own('get', instances + query);
    isProblem(t, answer, 'invalid_request');
    t.deepEqual(pointersOf(answer), [name]);
  }
});
