/** The guide to API keys: several keys, rotation, a lost key; by curl, TypeScript and Python as written there. */
import test from 'ava';
import { createClient } from 'redis';
import { pollUntil } from '../../src/lib/retry.ts';
import {
  accountKeyPlaceholder,
  adapt,
  dataKeyPattern,
  organizationPlaceholder,
  pythonTest,
  runCurl,
  runPython,
  runTypeScript,
  type ShellAnswer,
  serviceOfFile,
} from '../support/samples.ts';
import {
  accountKey,
  awaitOperation,
  createRunningInstance,
  type TestInstance,
} from '../support/service.ts';
import { hasShape, moment } from '../support/shapes.ts';
import { rotationPySample, rotationSample } from './rotation-samples.ts';

const service = serviceOfFile();
const testWithPython = pythonTest();
let instance: TestInstance;

test.serial.before(async () => {
  instance = await createRunningInstance(service(), { name: 'my-cache' });
});

async function asOwner(sample: string, more: Record<string, string>): Promise<ShellAnswer> {
  const placeholders = { [accountKeyPlaceholder]: accountKey, ...more };
  return await runCurl(adapt(sample, service(), placeholders));
}

const keyProperties = {
  id: /^key_\w+$/,
  name: String,
  createdAt: moment,
  permissions: ['read', 'write'].map(() => /^(read|write)$/),
  ipWhitelist: [],
  rateLimit: 1000,
} as const;

/** The keys of an instance as its page shows them. */
async function keysOf(instanceId: string): Promise<{ id: string; name: string }[]> {
  const { body } = await asOwner(
    `curl -H "Authorization: Bearer sk_live_your_account_key" \\
      https://api.swiftcache.io/api/v1/instances/inst_def456`,
    { inst_def456: instanceId },
  );
  return body.instance.apiKeys;
}

/** A connection to an instance with a key; it ends with the test. @throws when the key is refused. */
async function connect(
  t: { teardown(end: () => void): void },
  { host, port }: Pick<TestInstance, 'host' | 'port'>,
  key: string,
  username?: string,
) {
  const client = createClient({
    password: key,
    ...(username !== undefined && { username }),
    socket: { host, port, reconnectStrategy: false },
  });
  client.on('error', () => {});
  t.teardown(() => {
    if (client.isOpen) client.destroy();
  });
  await client.connect();
  await client.ping();
  return client;
}

const isRefused = { message: /WRONGPASS invalid username-password pair/ };

test.serial(
  'a key has the documented form and properties, and its text is shown once',
  async (t) => {
    t.regex(instance.key, dataKeyPattern);
    t.true(instance.key.length >= 40);
    const [key] = await keysOf(instance.id);
    hasShape(t, key, { ...keyProperties, name: 'my-cache-default' });
    const read = await service().api.call('GET', `/api/v1/api-keys/${key?.id}`);
    hasShape(t, read.apiKey, { ...keyProperties, name: 'my-cache-default' });
    t.false(JSON.stringify(read).includes('sc_live_'));
  },
);

test.serial('an instance made with existing keys has those and no other', async (t) => {
  const keys = [];
  for (const name of ['one', 'two', 'three']) {
    const { organizationId } = service();
    const { createdKey } = await service().api.call('POST', '/api/v1/api-keys', {
      organizationId,
      name,
    });
    keys.push(createdKey);
  }
  const { status, body } = await asOwner(
    `curl -X POST https://api.swiftcache.io/api/v1/instances \\
      -H "Content-Type: application/json" \\
      -H "Authorization: Bearer sk_live_your_account_key" \\
      -d '{
        "organizationId": "org_abc123",
        "name": "shared-cache",
        "maxMemory": 536870912,
        "region": "eu-central",
        "apiKeyIds": ["key_aaa", "key_bbb", "key_ccc"]
      }'`,
    {
      [organizationPlaceholder]: service().organizationId,
      key_aaa: keys[0].id,
      key_bbb: keys[1].id,
      key_ccc: keys[2].id,
    },
  );
  t.is(status, 201);
  t.false('createdDefaultKey' in body);
  await awaitOperation(service(), body.operation.id);
  const bound = await keysOf(body.instance.id);
  t.deepEqual(bound.map(({ id }) => id).sort(), keys.map(({ id }) => id).sort());
  for (const { plainTextKey } of keys) {
    await t.notThrowsAsync(connect(t, instance, plainTextKey));
  }
});

interface Rotation {
  /** Runs the sample's function that makes a key for the instance; gives its secret. */
  rotate(): Promise<string>;
  /** Runs the one that deletes a key; gives what it prints. */
  remove(keyId: string): Promise<string>;
}

/** The strategy of the guide: the old key works until it is deleted, the new one from its first moment. */
async function rotates(
  t: Parameters<typeof hasShape>[0],
  { rotate, remove }: Rotation,
): Promise<void> {
  const before = await keysOf(instance.id);
  const { createdKey: old } = await service().api.call(
    'POST',
    `/api/v1/instances/${instance.id}/api-keys`,
    { name: 'old' },
  );
  const oldClient = await connect(t, instance, old.plainTextKey);
  const secret = (await rotate()).trim();
  t.regex(secret, dataKeyPattern);
  const newClient = await connect(t, instance, secret);
  t.is(await oldClient.ping(), 'PONG');
  // By this its owner sees whether the old key is still in use.
  t.true(await pollUntil(() => hasBeenUsed(old.id), { timeoutMs: 5_000, intervalMs: 100 }));
  const { errors, stop } = writeAllTheWhile(newClient);
  t.is(await remove(old.id), 'deleted\n');
  await t.throwsAsync(connect(t, instance, old.plainTextKey), isRefused);
  await t.throwsAsync(oldClient.ping());
  t.true((await stop()) > 0);
  t.deepEqual(errors, []);
  const after = await keysOf(instance.id);
  t.is(after.length, before.length + 1);
  t.regex(after.at(-1)?.name ?? '', /^\d{4}-\d\d-\d\dT.*-rotation$/);
}

async function hasBeenUsed(keyId: string): Promise<true | undefined> {
  const { apiKey } = await service().api.call('GET', `/api/v1/api-keys/${keyId}`);
  return moment.test(apiKey.lastUsed) || undefined;
}

/** A client at work; `stop` gives how often it has written. */
function writeAllTheWhile(client: Awaited<ReturnType<typeof connect>>) {
  const errors: unknown[] = [];
  let isStopped = false;
  let writes = 0;
  const work = (async () => {
    while (!isStopped) {
      await client.set('written', String(writes)).then(
        () => (writes += 1),
        (error) => errors.push(error),
      );
    }
  })();
  return {
    errors,
    async stop(): Promise<number> {
      isStopped = true;
      await work;
      return writes;
    },
  };
}

test.serial('a key is rotated with TypeScript, without a moment of refusal', async (t) => {
  const sample = adapt(rotationSample, service());
  await rotates(t, {
    rotate: () =>
      runTypeScript(
        `${sample}\nconsole.log(await rotateApiKey('${instance.id}', '${accountKey}'));`,
      ),
    remove: (keyId) => runTypeScript(`${sample}\nawait deleteApiKey('${keyId}', '${accountKey}');`),
  });
});

testWithPython('a key is rotated with Python, without a moment of refusal', async (t) => {
  const sample = adapt(rotationPySample, service());
  await rotates(t, {
    rotate: () => runPython(`${sample}\nprint(rotate_api_key('${instance.id}', '${accountKey}'))`),
    remove: (keyId) => runPython(`${sample}\ndelete_api_key('${keyId}', '${accountKey}')`),
  });
});

test.serial('a lost key is deleted and replaced', async (t) => {
  const lost = (await keysOf(instance.id)).find(({ name }) => name === 'my-cache-default');
  const deletion = await asOwner(
    `curl -X DELETE \\
      -H "Authorization: Bearer sk_live_your_account_key" \\
      https://api.swiftcache.io/api/v1/api-keys/key_xyz789`,
    { key_xyz789: lost?.id ?? '' },
  );
  t.is(deletion.status, 200);
  await t.throwsAsync(connect(t, instance, instance.key), isRefused);
  const { status, body } = await asOwner(
    `curl -X POST \\
      -H "Authorization: Bearer sk_live_your_account_key" \\
      -H "Content-Type: application/json" \\
      -d '{"name": "replacement-key"}' \\
      https://api.swiftcache.io/api/v1/instances/inst_def456/api-keys`,
    { inst_def456: instance.id },
  );
  t.is(status, 201);
  hasShape(t, body.createdKey, {
    ...keyProperties,
    name: 'replacement-key',
    plainTextKey: dataKeyPattern,
    lastUsed: null,
  });
  const client = await connect(t, instance, body.createdKey.plainTextKey);
  t.is(await client.set('key', 'value'), 'OK');
  const names = (await keysOf(instance.id)).map(({ name }) => name);
  t.true(names.includes('replacement-key'));
  t.false(names.includes('my-cache-default'));
});
