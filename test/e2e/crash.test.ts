import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { Redis } from 'ioredis';
import { pollUntil } from '../../src/lib/retry.ts';
import { containerOf, listContainersOf, listVolumesOf } from '../support/docker.ts';
import { isRunning, killProcesses, listWorkerGroups } from '../support/processes.ts';
import { runPulumi } from '../support/pulumi.ts';
import {
  awaitOperation,
  createRunningInstance,
  requestInstance,
  startTestService,
  type TestService,
} from '../support/service.ts';
import { stateDir } from '../support/state-files.ts';

const orphansEnd = { timeoutMs: 60_000, intervalMs: 50 };

for (const phase of ['prepare', 'container', 'settings']) {
  test.serial(
    `a create interrupted by kill -9 of the service at "${phase}" ends RUNNING with one container`,
    async (t) => {
      const service = await startTestService(t);
      await awaitRegion(service);
      const instance = await requestInstance(service);
      await awaitPhase(service, instance.operationId, phase);
      await service.end('SIGKILL');

      await service.start();
      const operation = await awaitOperation(service, instance.operationId);
      t.is(operation.status, 'SUCCEEDED', JSON.stringify(operation.error));
      t.is((await listContainersOf(instance.id)).length, 1);
      t.is((await listVolumesOf(instance.id)).length, 1);
      t.regex(
        await runPulumi(service, `preview -s ${instance.id} --expect-no-changes`),
        /unchanged/,
      );
    },
  );
}

test.serial(
  'a run that has begun when its service is killed is ended by its worker, so the next start finds it done',
  async (t) => {
    const service = await startTestService(t);
    await awaitRegion(service);
    const instance = await requestInstance(service);
    await awaitPhase(service, instance.operationId, 'container');
    const workers = listWorkerGroups(service.dataDir).map(({ worker }) => worker);
    await service.end('SIGKILL');
    await pollUntil(async () => !workers.some(isRunning) || undefined, orphansEnd);
    const checkpoint = join(stateDir(service), `stacks/swiftcache/${instance.id}.json`);
    const { latest } = JSON.parse(readFileSync(checkpoint, 'utf8')).checkpoint;
    t.is(latest.pending_operations ?? undefined, undefined);
    const types = latest.resources.map(({ type }: { type: string }) => type);
    t.true(types.includes('swiftcache:index:RedisSettings'), 'the last resource of a stack');
  },
);

test.serial(
  'a create whose service, worker, CLI and providers are all killed at once ends RUNNING with one container',
  async (t) => {
    const service = await startTestService(t);
    await awaitRegion(service);
    const instance = await requestInstance(service);
    await awaitPhase(service, instance.operationId, 'container');
    await killProcesses(service.dataDir);
    await service.end('SIGKILL');

    await service.start();
    const operation = await awaitOperation(service, instance.operationId);
    t.is(operation.status, 'SUCCEEDED', JSON.stringify(operation.error));
    t.is((await listContainersOf(instance.id)).length, 1);
    t.regex(await runPulumi(service, `preview -s ${instance.id} --expect-no-changes`), /unchanged/);
  },
);

test.serial(
  'a create whose workers alone are killed ends RUNNING, and their providers end with them',
  async (t) => {
    const service = await startTestService(t);
    await awaitRegion(service);
    const instance = await requestInstance(service);
    await awaitPhase(service, instance.operationId, 'container');
    const groups = listWorkerGroups(service.dataDir);
    t.is(groups.length, 2);
    const children = groups.flatMap((group) => group.children);
    t.true(children.length >= 4);
    for (const { worker } of groups) process.kill(worker, 'SIGKILL');

    const operation = await awaitOperation(service, instance.operationId);
    t.is(operation.status, 'SUCCEEDED', JSON.stringify(operation.error));
    t.is((await listContainersOf(instance.id)).length, 1);
    t.deepEqual(children.filter(isRunning), []);
    t.regex(await runPulumi(service, `preview -s ${instance.id} --expect-no-changes`), /unchanged/);
  },
);

test.serial(
  'instances outlive the service and are found again, with their data, keys and settings',
  async (t) => {
    const service = await startTestService(t);
    const instance = await createRunningInstance(service, { persistence: true });
    await service.api.withToken(instance.key).call('GET', `/redis/${instance.id}/set/kept/yes`);
    t.is(await service.end('SIGINT'), 0);
    t.is((await listContainersOf(instance.id)).length, 1);

    await (await containerOf(instance.id)).restart();
    await service.start();
    const { instance: found } = await service.api.call('GET', `/api/v1/instances/${instance.id}`);
    t.is(found.status, 'RUNNING');
    const redis = new Redis({ host: found.host, port: found.port, password: instance.key });
    t.is(await redis.get('kept'), 'yes');
    t.regex(String(await redis.info('memory')), /^maxmemory:33554432\r?$/m);
    redis.disconnect();
  },
);

const mib = 1024 * 1024;

for (const [maxMemory, phase] of [
  [96 * mib, 'container'],
  [24 * mib, 'settings'],
] as const) {
  test.serial(
    `an update to ${maxMemory / mib} MiB interrupted by kill -9 at "${phase}" ends as wanted, its data whole`,
    async (t) => {
      const service = await startTestService(t);
      const instance = await createRunningInstance(service, { maxMemory: 48 * mib });
      await service.api.withToken(instance.key).call('GET', `/redis/${instance.id}/set/kept/yes`);
      const path = `/api/v1/instances/${instance.id}`;
      const { operation } = await service.api.call('PATCH', path, { maxMemory });
      await awaitPhase(service, operation.id, phase);
      await killProcesses(service.dataDir);
      await service.end('SIGKILL');

      await service.start();
      const ended = await awaitOperation(service, operation.id);
      t.is(ended.status, 'SUCCEEDED', JSON.stringify(ended.error));
      const data = service.api.withToken(instance.key);
      t.is((await data.call('GET', `/redis/${instance.id}/get/kept`)).result, 'yes');
      const { result } = await data.call('POST', `/redis/${instance.id}`, ['INFO', 'memory']);
      t.regex(result, new RegExp(`^maxmemory:${maxMemory}\\r?$`, 'm'));
      t.is((await listContainersOf(instance.id)).length, 1);
      t.regex(
        await runPulumi(service, `preview -s ${instance.id} --expect-no-changes`),
        /unchanged/,
      );
    },
  );
}

test.serial('a delete interrupted by kill -9 of the service leaves nothing', async (t) => {
  const service = await startTestService(t);
  const instance = await createRunningInstance(service);
  const { operation } = await service.api.call('DELETE', `/api/v1/instances/${instance.id}`);
  await awaitPhase(service, operation.id, 'destroy');
  await service.end('SIGKILL');

  await service.start();
  const ended = await awaitOperation(service, operation.id);
  t.is(ended.status, 'SUCCEEDED');
  t.deepEqual(await listContainersOf(instance.id), []);
  t.deepEqual(await listVolumesOf(instance.id), []);
  t.notRegex(await runPulumi(service, 'stack ls'), new RegExp(instance.id));
});

/** Waits until the operation has reached a phase, and fails if it passed without being seen. */
async function awaitPhase(service: TestService, operationId: string, phase: string): Promise<void> {
  for (;;) {
    const { operation } = await service.api.call('GET', `/api/v1/operations/${operationId}`);
    if (operation.steps.some((step: { name: string }) => step.name === phase)) {
      if (operation.finishedAt) throw new Error(`the operation had ended before ${phase} was seen`);
      return;
    }
    await sleep(5);
  }
}

/** The region's network comes first; a crash test aims at the instance's own run. */
async function awaitRegion(service: TestService): Promise<void> {
  const warmUp = await createRunningInstance(service);
  const { operation } = await service.api.call('DELETE', `/api/v1/instances/${warmUp.id}`);
  await awaitOperation(service, operation.id);
}
