import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { postgresLocation } from '../support/databases.ts';
import { listContainersOf, listVolumesOf } from '../support/docker.ts';
import { listWorkerGroups } from '../support/processes.ts';
import { runPulumi } from '../support/pulumi.ts';
import { startS3Server } from '../support/s3-server.ts';
import {
  awaitOperation,
  createRunningInstance,
  requestInstance,
  startTestService,
  type TestService,
} from '../support/service.ts';

const timeoutMs = 5 * 60_000;

/** The settings of a service whose state is elsewhere, and what must not be in its log. */
interface Backend {
  readonly settings: Record<string, string>;
  readonly secret: string;
}

const backends: Record<string, (t: ExecutionContext) => Promise<Backend>> = {
  async PostgreSQL() {
    const { databaseUrl = '' } = await postgresLocation();
    const secret = new URL(databaseUrl).password;
    return { settings: { SWIFTCACHE_STATE_BACKEND_URL: `${databaseUrl}?sslmode=disable` }, secret };
  },
  async S3(t) {
    const s3 = await startS3Server(t);
    const where = new URLSearchParams({ region: 'us-east-1', endpoint: s3.endpoint });
    const settings = {
      SWIFTCACHE_STATE_BACKEND_URL: `s3://${s3.bucket}?${where}&s3ForcePathStyle=true`,
      AWS_ACCESS_KEY_ID: s3.accessKeyId,
      AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
    };
    return { settings, secret: s3.secretAccessKey };
  },
};

for (const [name, prepare] of Object.entries(backends)) {
  test.serial(
    `with Pulumi's state in ${name}, an instance is made, changed, recovered after kill -9, and deleted`,
    async (t) => {
      t.timeout(timeoutMs);
      const { settings, secret } = await prepare(t);
      const service = await startTestService(t, settings);
      const { id } = await createRunningInstance(service);
      const path = `/api/v1/instances/${id}`;
      const { operation: update } = await service.api.call('PATCH', path, {
        maxMemory: 48 * 2 ** 20,
      });
      t.is((await awaitOperation(service, update.id)).status, 'SUCCEEDED');
      t.regex(await runPulumi(service, `preview -s ${id} --expect-no-changes`), /unchanged/);

      // The lock of the CLI that was killed stays, and only its own words tell whose it was.
      const killed = await requestInstance(service);
      await killRun(service, killed.operationId);
      const recovered = await awaitOperation(service, killed.operationId);
      t.is(recovered.status, 'SUCCEEDED', JSON.stringify(recovered.error));
      t.is((await listContainersOf(killed.id)).length, 1);
      t.regex(await runPulumi(service, `preview -s ${killed.id} --expect-no-changes`), /unchanged/);

      for (const instanceId of [id, killed.id]) {
        const { operation } = await service.api.call('DELETE', `/api/v1/instances/${instanceId}`);
        t.is((await awaitOperation(service, operation.id)).status, 'SUCCEEDED');
        t.deepEqual(await listContainersOf(instanceId), []);
        t.deepEqual(await listVolumesOf(instanceId), []);
      }
      t.notRegex(await runPulumi(service, 'stack ls'), /inst_/);
      t.false(service.output().includes(secret));
    },
  );
}

/** Kills the workers with all they started while the container is being made. */
async function killRun(service: TestService, operationId: string): Promise<void> {
  for (;;) {
    const { operation } = await service.api.call('GET', `/api/v1/operations/${operationId}`);
    if (operation.finishedAt) throw new Error('the operation had ended before its run was killed');
    if (operation.steps.some((step: { name: string }) => step.name === 'container')) break;
    await sleep(5);
  }
  for (const { worker, children } of listWorkerGroups(service.dataDir)) {
    for (const pid of [...children, worker]) process.kill(pid, 'SIGKILL');
  }
}
