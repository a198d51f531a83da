/** The calls of the API reference, by curl, and every field of its answers. One instance's life, in order. */
import { join } from 'node:path';
import test from 'ava';
import { openDatabase } from '../../src/store/database.ts';
import { MetricPointEntity } from '../../src/store/entities/metric-point.ts';
import {
  accountKeyPlaceholder,
  adapt,
  dataKeyPattern,
  organizationPlaceholder,
  runCurl,
  type ShellAnswer,
  serviceOfFile,
} from '../support/samples.ts';
import { accountKey, awaitOperation } from '../support/service.ts';
import { hasShape, moment } from '../support/shapes.ts';

const service = serviceOfFile();
let instanceId = '';
let operationId = '';

/** Runs a sample with the owner's key in it. */
async function asOwner(sample: string, more: Record<string, string> = {}): Promise<ShellAnswer> {
  const placeholders = { [accountKeyPlaceholder]: accountKey, ...more };
  return await runCurl(adapt(sample, service(), placeholders));
}

test.serial('regions are told to anybody', async (t) => {
  const { status, body } = await runCurl(
    adapt('curl https://api.swiftcache.io/api/v1/instances/regions', service()),
  );
  t.is(status, 200);
  t.deepEqual(body.regions[0], {
    region: 'eu-central',
    regionName: 'Europe (Germany)',
    flag: '🇩🇪',
    available: true,
  });
});

test.serial('a create gives an instance that is PROVISIONING, and its key', async (t) => {
  const sample = `curl -X POST https://api.swiftcache.io/api/v1/instances \\
    -H "Content-Type: application/json" \\
    -H "Authorization: Bearer sk_live_your_account_key" \\
    -d '{
      "organizationId": "org_abc123",
      "name": "my-cache",
      "maxMemory": 536870912,
      "region": "eu-central",
      "evictionPolicy": "allkeys-lru",
      "persistence": false
    }'`;
  const { status, body } = await asOwner(sample, {
    [organizationPlaceholder]: service().organizationId,
  });
  t.is(status, 201);
  hasShape(t, body, {
    instance: {
      id: /^inst_\w+$/,
      name: 'my-cache',
      status: 'PROVISIONING',
      hostname: null,
      host: String,
      port: Number,
      password: dataKeyPattern,
      maxMemoryMb: 512,
      region: 'eu-central',
      tier: 'dedicated',
    },
    createdDefaultKey: {
      id: /^key_\w+$/,
      name: 'my-cache-default',
      plainTextKey: dataKeyPattern,
      createdAt: moment,
    },
  });
  // The password of the instance is the key: what is said of either holds of both.
  t.is(body.instance.password, body.createdDefaultKey.plainTextKey);
  instanceId = body.instance.id;
  operationId = body.operation.id;
});

test.serial('get shows the instance with its keys, without their secrets', async (t) => {
  await awaitOperation(service(), operationId);
  const { status, body } = await asOwner(
    `curl -H "Authorization: Bearer sk_live_your_account_key" \\
      https://api.swiftcache.io/api/v1/instances/inst_def456`,
    { inst_def456: instanceId },
  );
  t.is(status, 200);
  hasShape(t, body, {
    instance: {
      id: instanceId,
      name: 'my-cache',
      status: 'RUNNING',
      hostname: String,
      host: String,
      port: Number,
      maxMemoryMb: 512,
      region: 'eu-central',
      apiKeys: [{ id: /^key_\w+$/, name: 'my-cache-default', createdAt: moment, lastUsed: null }],
    },
  });
  t.false(JSON.stringify(body).includes('sc_live_'));
});

test.serial("the list shows the organization's instances", async (t) => {
  const { status, body } = await asOwner(
    `curl -H "Authorization: Bearer sk_live_your_account_key" \\
      'https://api.swiftcache.io/api/v1/instances?organizationId=org_abc123'`,
    { [organizationPlaceholder]: service().organizationId },
  );
  t.is(status, 200);
  hasShape(t, body, {
    instances: [
      {
        id: instanceId,
        name: 'my-cache',
        status: 'RUNNING',
        region: 'eu-central',
        maxMemoryMb: 512,
        tier: 'dedicated',
        createdAt: moment,
      },
    ],
  });
});

test.serial('metrics are those of the last 24 hours, and of now', async (t) => {
  const point = await addMinute();
  const { status, body } = await asOwner(
    `curl -H "Authorization: Bearer sk_live_your_account_key" \\
      https://api.swiftcache.io/api/v1/instances/inst_def456/metrics`,
    { inst_def456: instanceId },
  );
  t.is(status, 200);
  const counts = {
    commands: Number,
    bytesIn: Number,
    bytesOut: Number,
    hits: Number,
    misses: Number,
  };
  hasShape(t, body, { metrics: [{ time: moment, ...counts }], current: counts });
  hasShape(t, body.metrics[0], { time: point.time, commands: 1500, hits: 1200, misses: 300 });
});

test.serial('a PATCH changes name, memory and eviction', async (t) => {
  const { status, body } = await asOwner(
    `curl -X PATCH https://api.swiftcache.io/api/v1/instances/inst_def456 \\
      -H "Content-Type: application/json" \\
      -H "Authorization: Bearer sk_live_your_account_key" \\
      -d '{"name": "my-cache-updated", "maxMemory": 1073741824, "evictionPolicy": "volatile-lru"}'`,
    { inst_def456: instanceId },
  );
  t.true([200, 202].includes(status));
  const changed = { id: instanceId, name: 'my-cache-updated', maxMemoryMb: 1024 };
  hasShape(t, body, { instance: changed });
  const operation = await awaitOperation(service(), body.operation.id);
  t.is(operation.status, 'SUCCEEDED');
  const { instance } = await service().api.call('GET', `/api/v1/instances/${instanceId}`);
  hasShape(t, instance, { ...changed, status: 'RUNNING', evictionPolicy: 'volatile-lru' });
});

test.serial('a call without a key, or with a wrong one, is told so', async (t) => {
  const list = 'curl https://api.swiftcache.io/api/v1/instances?organizationId=org_abc123';
  const withoutKey = await runCurl(adapt(list, service()));
  t.is(withoutKey.status, 401);
  t.is(withoutKey.body.error, 'Authentication required');
  const wrong = ['sk_live_truncated', `sk_test_${'0'.repeat(48)}`, `sk_live_${'0'.repeat(48)}`];
  for (const key of wrong) {
    const refused = await runCurl(adapt(`${list} -H "Authorization: Bearer ${key}"`, service()));
    t.is(refused.status, 401);
    t.is(refused.body.error, 'Invalid authentication token');
  }
});

test.serial('a delete begins at once, and ends with nothing left', async (t) => {
  const { status, body } = await asOwner(
    `curl -X DELETE https://api.swiftcache.io/api/v1/instances/inst_def456 \\
      -H "Authorization: Bearer sk_live_your_account_key"`,
    { inst_def456: instanceId },
  );
  t.is(status, 202);
  hasShape(t, body, {
    message: 'Instance deletion initiated',
    instance: { id: instanceId, status: 'DELETING' },
  });
  t.is((await awaitOperation(service(), body.operation.id)).status, 'SUCCEEDED');
  await service().api.call('GET', `/api/v1/instances/${instanceId}`, undefined, 404);
});

/** A minute as the sampler writes one: waiting for the next would take up to a minute. */
async function addMinute(): Promise<{ time: string }> {
  const databaseFile = join(service().dataDir, 'swiftcache.db');
  const orm = await openDatabase({ databaseUrl: undefined, databaseFile });
  const atMs = Math.floor(Date.now() / 60_000 - 60) * 60_000;
  try {
    const em = orm.em.fork();
    em.create(MetricPointEntity, {
      instanceId,
      resolution: 'minute',
      atMs,
      ...{ commands: 1500, bytesIn: 524_288, bytesOut: 1_048_576, hits: 1200, misses: 300 },
      ...{ evicted: 0, expired: 0, memoryUsed: 1_000_000, clients: 1, latency: {} },
    });
    await em.flush();
  } finally {
    await orm.close();
  }
  return { time: new Date(atMs).toISOString() };
}
