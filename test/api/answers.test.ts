/** What answers contain: the documented fields, and beside them exactly those named here. */
import { documented, hasFields } from '../support/answers.ts';
import { door, newInstance, startApi } from '../support/api.ts';
import { testOnEachDatabase } from '../support/databases.ts';
import { addDataKey, addInstance, addOperation, someDate } from '../support/rows.ts';

const instances = '/api/v1/instances';
const instanceFields = `id organizationId name status hostname host port tlsPort connectionString
  maxMemory maxMemoryMb region tier evictionPolicy persistence image upgradeAvailable labels deletionProtection driftPolicy drift
  backups expiresAt failure createdAt updatedAt`;
const keyFields =
  'id organizationId name createdAt lastUsed permissions ipWhitelist rateLimit expiresAt';
const operationFields =
  'id kind instanceId status progress steps error createdAt startedAt finishedAt';

testOnEachDatabase(
  'creating gives the instance, its key once, and an operation',
  async (t, orm) => {
    const { own, owner, clock, wakes } = await startApi(t, orm);
    const answer = await own('post', instances, newInstance(owner));
    const { instance, createdDefaultKey, operation } = answer.body;
    t.is(answer.status, 201);
    documented(t, `post ${instances}`, answer);
    hasFields(t, answer.body, 'instance createdDefaultKey operation');
    hasFields(t, instance, `${instanceFields} password`);
    hasFields(t, createdDefaultKey, `${keyFields} plainTextKey`);
    hasFields(t, operation, operationFields);

    t.regex(instance.id, /^inst_[a-z2-7]{16}$/);
    t.is(answer.headers.get('Location'), `${instances}/${instance.id}`);
    const now = clock.now().toISOString();
    t.like(instance, {
      organizationId: owner.organizationId,
      name: 'my-cache',
      status: 'PROVISIONING',
      hostname: null,
      ...door,
      maxMemory: 536_870_912,
      maxMemoryMb: 512,
      region: 'eu-central',
      tier: 'dedicated',
      evictionPolicy: 'allkeys-lru',
      persistence: false,
      failure: null,
      createdAt: now,
      updatedAt: now,
    });
    t.regex(createdDefaultKey.plainTextKey, /^sc_live_[0-9a-f]{32}$/);
    t.is(instance.password, createdDefaultKey.plainTextKey);
    t.like(createdDefaultKey, {
      name: 'my-cache-default',
      lastUsed: null,
      permissions: ['read', 'write'],
      ipWhitelist: [],
      rateLimit: 1000,
      createdAt: now,
    });
    t.like(operation, { kind: 'create', status: 'QUEUED', progress: 0, instanceId: instance.id });
    t.is(wakes(), 1);
  },
);

testOnEachDatabase('creating with existing keys makes none and shows none', async (t, orm) => {
  const { own, owner } = await startApi(t, orm);
  const keys = [
    await addDataKey(orm, owner.organizationId),
    await addDataKey(orm, owner.organizationId),
  ];
  const apiKeyIds = keys.map(({ id }) => id);
  const { status, body } = await own('post', instances, newInstance(owner, { apiKeyIds }));
  t.is(status, 201);
  hasFields(t, body, 'instance operation');
  t.is(body.instance.password, null);
  const read = await own('get', `${instances}/${body.instance.id}`);
  t.deepEqual(
    read.body.instance.apiKeys.map((key: { id: string }) => key.id).sort(),
    apiKeyIds.sort(),
  );
});

testOnEachDatabase('what was asked for is what is read back', async (t, orm) => {
  const { own, owner } = await startApi(t, orm);
  const wanted = { evictionPolicy: 'volatile-ttl', persistence: true, maxMemory: 17_179_869_184 };
  const { body } = await own(
    'post',
    instances,
    newInstance(owner, { ...wanted, name: 'Grüße 🌍' }),
  );
  const read = await own('get', `${instances}/${body.instance.id}`);
  t.like(read.body.instance, { ...wanted, name: 'Grüße 🌍', maxMemoryMb: 16_384 });
});

testOnEachDatabase('reading gives the instance with its keys and no secret', async (t, orm) => {
  const { own, owner } = await startApi(t, orm);
  const { organizationId } = owner;
  const { id } = await addInstance(orm, {
    organizationId,
    status: 'RUNNING',
    nodeHost: '127.0.0.1',
  });
  await addDataKey(orm, organizationId, { lastUsedAt: someDate }, [id]);
  await addDataKey(orm, organizationId);
  const answer = await own('get', `${instances}/${id}`);
  t.is(answer.status, 200);
  documented(t, `get ${instances}/:instanceId`, answer);
  hasFields(t, answer.body, 'instance');
  hasFields(t, answer.body.instance, `${instanceFields} apiKeys`);
  t.is(answer.body.instance.apiKeys.length, 1);
  hasFields(t, answer.body.instance.apiKeys[0], keyFields);
  t.is(answer.body.instance.apiKeys[0].lastUsed, someDate.toISOString());
});

testOnEachDatabase(
  'the hostname is null until an instance is RUNNING, then it is the door',
  async (t, orm) => {
    const { own, owner } = await startApi(t, orm);
    for (const status of ['PROVISIONING', 'RUNNING', 'FAILED', 'DELETING'] as const) {
      const { id } = await addInstance(orm, { organizationId: owner.organizationId, status });
      const { body } = await own('get', `${instances}/${id}`);
      t.is(body.instance.hostname, status === 'RUNNING' ? door.host : null, status);
      t.like(body.instance, { status, ...door });
    }
  },
);

testOnEachDatabase(
  'with a domain and TLS the hostname is of one instance, and the connection string has TLS',
  async (t, orm) => {
    const secure = { ...door, tlsPort: 6380, takesPlain: false, domain: 'example.com' };
    const { own, owner } = await startApi(t, orm, { door: () => secure });
    const { id } = await addInstance(orm, { ...owner, status: 'RUNNING' });
    const hostname = `${id.replace('_', '-')}.redis.example.com`;
    const { instance } = (await own('get', `${instances}/${id}`)).body;
    const connectionString = `rediss://:[API_KEY]@${hostname}:6380`;
    t.like(instance, { hostname, ...door, tlsPort: 6380, connectionString });
  },
);

testOnEachDatabase(
  'without TLS the connection string is for redis://, an IPv6 address in brackets',
  async (t, orm) => {
    const plain = { host: '2001:db8::1', port: 6379, tlsPort: undefined, takesPlain: true };
    const { own, owner } = await startApi(t, orm, {
      door: () => ({ ...plain, domain: undefined }),
    });
    const { id } = await addInstance(orm, { ...owner, status: 'RUNNING' });
    const { instance } = (await own('get', `${instances}/${id}`)).body;
    const connectionString = 'redis://:[API_KEY]@[2001:db8::1]:6379';
    t.like(instance, { hostname: plain.host, tlsPort: null, connectionString });
    const waiting = await addInstance(orm, { ...owner, status: 'PROVISIONING' });
    const answer = await own('get', `${instances}/${waiting.id}`);
    t.like(answer.body.instance, { hostname: null, connectionString: null });
  },
);

testOnEachDatabase(
  "listing gives an organization's live instances, oldest first",
  async (t, orm) => {
    const { own, owner, stranger } = await startApi(t, orm);
    const { organizationId } = owner;
    const at = (second: number): Date => new Date(Date.UTC(2024, 0, 1, 0, 0, second));
    const second = await addInstance(orm, { organizationId, createdAt: at(2) });
    const first = await addInstance(orm, { organizationId, createdAt: at(1), status: 'FAILED' });
    await addInstance(orm, { organizationId, createdAt: at(0), status: 'DELETED' });
    await addInstance(orm, { organizationId: stranger.organizationId });
    const answer = await own('get', `${instances}?organizationId=${organizationId}`);
    t.is(answer.status, 200);
    documented(t, `get ${instances}`, answer);
    hasFields(t, answer.body, 'instances nextCursor');
    for (const instance of answer.body.instances) hasFields(t, instance, instanceFields);
    t.deepEqual(
      answer.body.instances.map(({ id }: { id: string }) => id),
      [first.id, second.id],
    );
  },
);

testOnEachDatabase(
  'an operation is shown with its steps, and its failure with a remedy',
  async (t, orm) => {
    const { own, owner } = await startApi(t, orm);
    const instance = await addInstance(orm, {
      organizationId: owner.organizationId,
      status: 'FAILED',
      failureCode: 'docker_unreachable',
      failureMessage: 'Docker cannot be reached.',
    });
    const steps = [{ name: 'prepare', startedAt: someDate.toISOString(), finishedAt: null }];
    const { id } = await addOperation(orm, instance, {
      status: 'FAILED',
      steps,
      startedAt: someDate,
      errorCode: 'docker_unreachable',
      errorMessage: 'Docker cannot be reached.',
    });
    const answer = await own('get', `/api/v1/operations/${id}`);
    t.is(answer.status, 200);
    documented(t, 'get /api/v1/operations/:operationId', answer);
    hasFields(t, answer.body, 'operation');
    hasFields(t, answer.body.operation, operationFields);
    t.deepEqual(answer.body.operation.steps, steps);
    const { failure } = (await own('get', `${instances}/${instance.id}`)).body.instance;
    for (const shown of [answer.body.operation.error, failure]) {
      hasFields(t, shown, 'code message remedy');
      t.like(shown, { code: 'docker_unreachable', message: 'Docker cannot be reached.' });
    }
  },
);

testOnEachDatabase(
  'the regions are public, and say nothing about the hosts behind them',
  async (t, orm) => {
    const { call } = await startApi(t, orm);
    const answer = await call('get', `${instances}/regions`);
    documented(t, `get ${instances}/regions`, answer);
    t.deepEqual(answer.body, {
      regions: [
        { region: 'eu-central', regionName: 'Europe (Germany)', flag: '🇩🇪', available: true },
      ],
    });
  },
);

testOnEachDatabase('answers are JSON, not to be cached, and carry a request id', async (t, orm) => {
  const { call } = await startApi(t, orm);
  for (const path of ['/healthz', '/readyz', `${instances}/regions`, '/openapi.json', '/none']) {
    const { headers } = await call('get', path);
    t.regex(headers.get('Content-Type') ?? '', /^application\/(problem\+)?json/);
    t.is(headers.get('Cache-Control'), 'no-store');
    t.is(headers.get('X-Content-Type-Options'), 'nosniff');
    t.regex(headers.get('X-Request-Id') ?? '', /^req_[a-z2-7]{16}$/);
  }
});
