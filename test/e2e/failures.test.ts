import { once } from 'node:events';
import { createServer } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { pollUntil } from '../../src/lib/retry.ts';
import { openDatabase } from '../../src/store/database.ts';
import { InstanceEntity } from '../../src/store/entities/instance.ts';
import { listContainersOf, listVolumesOf } from '../support/docker.ts';
import {
  awaitOperation,
  requestInstance,
  startTestService,
  type TestService,
} from '../support/service.ts';

const failures = [
  {
    name: 'an image that is not there',
    settings: { SWIFTCACHE_REDIS_IMAGE: `redis@sha256:${'0'.repeat(64)}` },
    code: 'image_missing',
  },
  {
    name: 'an image that the policies refuse',
    settings: { SWIFTCACHE_REDIS_IMAGE: 'redis:latest' },
    code: 'policy_violation',
    message: /pinned-image/,
  },
];

for (const { name, settings, code, message } of failures) {
  test.serial(`${name} ends FAILED with ${code}, can be retried and deleted`, async (t) => {
    const service = await startTestService(t, settings);
    const instance = await requestInstance(service);
    const operation = await awaitOperation(service, instance.operationId);
    t.is(operation.status, 'FAILED');
    t.is(operation.error.code, code);
    if (message) t.regex(operation.error.message, message);
    t.notRegex(JSON.stringify(operation), /\/(root|home|tmp|work)\/|pulumi|\n +at /i);
    const { instance: failed } = await service.api.call('GET', `/api/v1/instances/${instance.id}`);
    t.is(failed.status, 'FAILED');
    t.is(failed.failure.code, code);

    const retry = await service.api.call('POST', `/api/v1/instances/${instance.id}/retry`);
    t.is((await awaitOperation(service, retry.operation.id)).error.code, code);
    await deleteWithoutTrace(t, service, instance.id);
  });
}

test.serial(
  'while Docker is out of reach an operation waits, and says so; the doors stay open',
  async (t) => {
    const service = await startTestService(t, { DOCKER_HOST: 'unix:///nowhere/docker.sock' });
    const { operationId } = await requestInstance(service);
    const isWaiting = async (): Promise<true | undefined> => {
      const { operation } = await service.api.call('GET', `/api/v1/operations/${operationId}`);
      t.is(operation.finishedAt, null);
      return operation.steps.at(-1)?.name === 'wait' || undefined;
    };
    await pollUntil(isWaiting, { timeoutMs: 60_000, intervalMs: 100 });
    await service.api.call('GET', '/readyz', undefined, 503);
    await service.api.call('GET', '/healthz');
  },
);

test.serial(
  'a port taken by another program ends FAILED with port_in_use, and a retry gets another',
  async (t) => {
    const service = await startTestService(t, { SWIFTCACHE_WORKERS: '1' });
    // The only worker is busy with the first, so that there is time to take the second's port.
    const first = await requestInstance(service);
    const second = await requestInstance(service);
    const port = await readNodePort(service, second.id);
    const squatter = createServer().listen(port, '127.0.0.1');
    await once(squatter, 'listening');
    t.teardown(() => squatter.close());

    t.is((await awaitOperation(service, first.operationId)).status, 'SUCCEEDED');
    const operation = await awaitOperation(service, second.operationId);
    t.is(operation.error?.code, 'port_in_use', service.output().slice(-3000));

    const retry = await service.api.call('POST', `/api/v1/instances/${second.id}/retry`);
    t.is((await awaitOperation(service, retry.operation.id)).status, 'SUCCEEDED');
    t.not(await readNodePort(service, second.id), port);
    await service.api.call('POST', `/api/v1/instances/${second.id}/retry`, undefined, 409);
  },
);

test.serial('an instance deleted while it is being created leaves nothing', async (t) => {
  const service = await startTestService(t);
  const instance = await requestInstance(service);
  await deleteWithoutTrace(t, service, instance.id);
});

async function deleteWithoutTrace(
  t: ExecutionContext,
  service: TestService,
  instanceId: string,
): Promise<void> {
  const { operation } = await service.api.call('DELETE', `/api/v1/instances/${instanceId}`);
  t.is((await awaitOperation(service, operation.id)).status, 'SUCCEEDED');
  t.deepEqual(await listContainersOf(instanceId), []);
  t.deepEqual(await listVolumesOf(instanceId), []);
  await service.api.call('GET', `/api/v1/instances/${instanceId}`, undefined, 404);
}

/** The instance's port on the Docker host, which the API keeps to itself. */
async function readNodePort({ dataDir }: TestService, id: string): Promise<number> {
  const databaseFile = `${dataDir}/swiftcache.db`;
  const orm = await openDatabase({ databaseUrl: undefined, databaseFile });
  const { nodePort } = await orm.em.fork().findOneOrFail(InstanceEntity, { id });
  await orm.close();
  return nodePort ?? 0;
}
