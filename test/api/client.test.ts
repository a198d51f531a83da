/** The TypeScript client against the API. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import {
  createSwiftCacheClient,
  SwiftCacheError,
  waitForOperation,
} from '../../clients/typescript/index.ts';
import { rootDir } from '../../src/config.ts';
import { newId } from '../../src/lib/ids.ts';
import { newInstance, startApi } from '../support/api.ts';
import { openTestDatabase } from '../support/databases.ts';
import { addInstance, addOperation } from '../support/rows.ts';
import { settleEverything } from '../support/settle.ts';

const path = '/api/v1/instances/{instanceId}';

test('a call gives the body of the answer', async (t) => {
  const { url, owner } = await startApi(t, await openTestDatabase(t));
  const client = createSwiftCacheClient({ url, token: owner.secret });
  const { instance } = await client.post('/api/v1/instances', {
    body: newInstance(owner) as never,
  });
  const params = { path: { instanceId: instance.id } };
  const read = await client.get(path, { params });
  t.is(read.instance.name, 'my-cache');
  t.is(read.instance.apiKeys.length, 1);
  const query = { organizationId: owner.organizationId };
  const { instances } = await client.get('/api/v1/instances', { params: { query } });
  t.deepEqual(
    instances.map(({ id }) => id),
    [instance.id],
  );
  const { instance: deleting } = await client.delete(path, { params });
  t.is(deleting.status, 'DELETING');
});

test('what needs no key is called without one', async (t) => {
  const { url } = await startApi(t, await openTestDatabase(t));
  const { regions } = await createSwiftCacheClient({ url }).get('/api/v1/instances/regions');
  t.is(regions[0]?.region, 'eu-central');
});

test('a problem is thrown with its code, its remedy, its fields and the name of the request', async (t) => {
  const { url, owner } = await startApi(t, await openTestDatabase(t));
  const client = createSwiftCacheClient({ url, token: owner.secret });
  const body = newInstance(owner, { name: '' }) as never;
  const header = { 'X-Request-Id': 'mine' };
  const error = await t.throwsAsync(
    client.post('/api/v1/instances', { body, params: { header } }),
    { instanceOf: SwiftCacheError },
  );
  t.like(error, { status: 400, code: 'invalid_request', requestId: 'mine' });
  t.regex(error?.remedy ?? '', /Correct the fields/);
  t.is(error?.fields[0]?.pointer, '/name');
  const refused = await t.throwsAsync(
    createSwiftCacheClient({ url, token: 'sk_live_no' }).get(path, {
      params: { path: { instanceId: newId('inst') } },
    }),
  );
  t.like(refused, { status: 401, code: 'invalid_authentication_token' });
});

test('what is no answer of this service is thrown too', async (t) => {
  const fetch = async (): Promise<Response> => new Response('<html>', { status: 502 });
  const client = createSwiftCacheClient({ url: 'http://127.0.0.1', fetch });
  const error = await t.throwsAsync(client.get('/healthz'), { instanceOf: SwiftCacheError });
  t.like(error, { status: 502, code: undefined, message: 'the service answered 502' });
});

test('waiting ends with the operation: well, with its error, or with the time', async (t) => {
  const orm = await openTestDatabase(t);
  const { url, owner } = await startApi(t, orm);
  const client = createSwiftCacheClient({ url, token: owner.secret });
  const { organizationId } = owner;
  const instance = await addInstance(orm, { organizationId });
  const { id } = await addOperation(orm, instance);
  const late = await t.throwsAsync(waitForOperation(client, id, { timeoutMs: 50, pollMs: 10 }));
  t.like(late, { code: 'wait_timeout', status: undefined });
  const seen: string[] = [];
  const ended = await waitForOperation(client, id, {
    pollMs: 10,
    onProgress: ({ status }) => {
      if (seen.length === 0) void settleEverything(orm, new Date());
      seen.push(status);
    },
  });
  t.is(ended.status, 'SUCCEEDED');
  t.is(seen[0], 'QUEUED');
  const failed = await addOperation(orm, instance, {
    status: 'FAILED',
    errorCode: 'port_in_use',
    errorMessage: 'Port 1 is taken.',
    finishedAt: new Date(),
  });
  t.like(await t.throwsAsync(waitForOperation(client, failed.id)), {
    code: 'port_in_use',
    message: 'Port 1 is taken.',
  });
  const superseded = await addOperation(orm, instance, {
    status: 'SUPERSEDED',
    finishedAt: new Date(),
  });
  t.like(await t.throwsAsync(waitForOperation(client, superseded.id)), {
    code: 'operation_superseded',
  });
});

test("the README's example runs as it stands", async (t) => {
  const orm = await openTestDatabase(t);
  const { url, owner } = await startApi(t, orm, {
    provisioner: { wake: () => void settleEverything(orm, new Date()) },
  });
  const folder = join(rootDir, 'clients/typescript');
  const [, example = ''] =
    /```ts\n([\s\S]*?)```/.exec(readFileSync(join(folder, 'README.md'), 'utf8')) ?? [];
  // The commands are the gateway's, which this API is without; contract tests have them.
  const [withoutCommands = ''] = [example.replace(/const data = [\s\S]*?\n\}\);\n/, '')];
  t.not(withoutCommands, example);
  const file = join(folder, `.example-${process.pid}.ts`);
  t.teardown(() => rmSync(file, { force: true }));
  const given = { url, token: owner.secret, organizationId: owner.organizationId };
  const constants = Object.entries(given).map(([name, value]) => `const ${name} = '${value}';\n`);
  const told: unknown[][] = [];
  const real = console.log;
  t.teardown(() => {
    console.log = real;
  });
  console.log = (...words: unknown[]) => told.push(words);
  writeFileSync(file, constants.join('') + withoutCommands);
  await import(file);
  t.is(told[0]?.[0], 'invalid_request');
});
