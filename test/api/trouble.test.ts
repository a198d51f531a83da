/** Trouble on our side: a 500 or 503 that says nothing of what happened; the log says it all. */
import test, { type ExecutionContext } from 'ava';
import type { HttpServices } from '../../src/http/route.ts';
import type { Orm } from '../../src/store/database.ts';
import { InstanceEntity } from '../../src/store/entities/instance.ts';
import { type Api, newInstance, startApi } from '../support/api.ts';
import { openTestDatabase, testOnEachDatabase } from '../support/databases.ts';
import { testConfig } from '../support/test-config.ts';

const instances = '/api/v1/instances';
const detail = 'connect ECONNREFUSED /var/lib/hidden/db.sock at Pool.connect (pool.ts:12)';

/** The API over a database that breaks once the accounts are there. */
async function startBroken(t: ExecutionContext, thrown: unknown): Promise<Api> {
  const orm = await openTestDatabase(t);
  let isBroken = false;
  const breaking = {
    em: {
      fork() {
        if (isBroken) throw thrown;
        return orm.em.fork();
      },
    },
  } as unknown as Orm;
  const api = await startApi(t, breaking);
  isBroken = true;
  return api;
}

for (const [what, thrown] of Object.entries({
  'an error': new Error(detail),
  'a text': detail,
  'an error of a library with a status': Object.assign(new Error(detail), {
    status: 418,
    expose: true,
  }),
})) {
  test(`a database that throws ${what} gives a 500 without a word of it`, async (t) => {
    const api = await startBroken(t, thrown);
    for (const [method, path, body] of [
      ['get', `${instances}/inst_a`],
      ['delete', `${instances}/inst_a`],
      ['get', `${instances}?organizationId=${api.owner.organizationId}`],
      ['post', instances, newInstance(api.owner)],
    ] as const) {
      const answer = await api.own(method, path, body);
      t.is(answer.status, 500);
      t.is(answer.headers.get('Content-Type'), 'application/problem+json');
      t.is(answer.body.code, 'internal_error');
      t.is(answer.body.detail, 'Internal error');
      t.notRegex(answer.text, /ECONNREFUSED|hidden|pool/i);
      // What the operator needs is in the log, under the id that the caller was given.
      const line = api
        .log()
        .split('\n')
        .find((text) => text.includes(answer.body.requestId));
      t.true(line?.includes('ECONNREFUSED'), line);
    }
    t.is(api.wakes(), 0);
  });
}

test('a database that fails with a key in its words does not put it into the log', async (t) => {
  const key = `sc_live_${'ab'.repeat(16)}`;
  const api = await startBroken(t, new Error(`insert failed: ('${key}')`));
  t.is((await api.own('get', `${instances}/inst_a`)).status, 500);
  t.false(api.log().includes(key));
});

test('a service that is alive says so whatever is broken', async (t) => {
  const api = await startBroken(t, new Error(detail));
  const { status, body } = await api.call('get', '/healthz');
  t.is(status, 200);
  t.deepEqual(body, { status: 'ok' });
});

test('a service that cannot work says so to its watcher, and why only to the log', async (t) => {
  const orm = await openTestDatabase(t);
  let problem: Error | undefined = new Error(detail);
  const checkReady: HttpServices['checkReady'] = async () => {
    if (problem) throw problem;
  };
  const api = await startApi(t, orm, { checkReady });
  const answer = await api.call('get', '/readyz');
  t.is(answer.status, 503);
  t.deepEqual(answer.body, { status: 'not ready' });
  t.true(api.log().includes('ECONNREFUSED'));
  problem = undefined;
  t.like(await api.call('get', '/readyz'), { status: 200, body: { status: 'ready' } });
});

testOnEachDatabase('a create that breaks off leaves no instance behind', async (t, orm) => {
  const config = testConfig();
  // No image is no value for its column.
  const redisImage = null as unknown as string;
  const api = await startApi(t, orm, { config: { ...config, redisImage } });
  const { status } = await api.own('post', instances, newInstance(api.owner));
  t.is(status, 500);
  t.is(await orm.em.fork().count(InstanceEntity, {}), 0);
  t.is(api.wakes(), 0);
});
