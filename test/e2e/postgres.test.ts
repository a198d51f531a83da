import { testOnPostgres } from '../support/databases.ts';
import { listContainersOf } from '../support/docker.ts';
import {
  awaitOperation,
  createRunningInstance,
  requestInstance,
  startTestService,
} from '../support/service.ts';

testOnPostgres(
  'a service on PostgreSQL creates, recovers after kill -9, and deletes',
  async (t, _, location) => {
    const service = await startTestService(t, {
      SWIFTCACHE_DATABASE_URL: location.databaseUrl ?? '',
    });
    const first = await createRunningInstance(service);
    await service.api.withToken(first.key).call('GET', `/redis/${first.id}/set/a/b`);
    const second = await requestInstance(service);
    await service.end('SIGKILL');

    await service.start();
    t.is((await awaitOperation(service, second.operationId)).status, 'SUCCEEDED');
    t.is((await listContainersOf(second.id)).length, 1);
    const { result } = await service.api
      .withToken(first.key)
      .call('GET', `/redis/${first.id}/get/a`);
    t.is(result, 'b');
    for (const { id } of [first, second]) {
      const { operation } = await service.api.call('DELETE', `/api/v1/instances/${id}`);
      t.is((await awaitOperation(service, operation.id)).status, 'SUCCEEDED');
      t.deepEqual(await listContainersOf(id), []);
    }
  },
);
