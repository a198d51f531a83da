import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { newId } from '../../src/lib/ids.ts';
import { pollUntil } from '../../src/lib/retry.ts';
import { openDatabase } from '../../src/store/database.ts';
import { InstanceEntity } from '../../src/store/entities/instance.ts';
import { containerOf, docker, listContainersOf, listVolumesOf } from '../support/docker.ts';
import { isRunning, listWorkerGroups } from '../support/processes.ts';
import { runPulumi } from '../support/pulumi.ts';
import {
  awaitOperation,
  createRunningInstance,
  requestInstance,
  startTestService,
  type TestInstance,
  type TestService,
} from '../support/service.ts';
import {
  countRuns,
  filesNaming,
  leaveLock,
  leaveOldFiles,
  readLock,
  removeCopies,
  stateDir,
  tearAttributes,
  tearCheckpoint,
} from '../support/state-files.ts';

const mib = 1024 * 1024;
const creates = 4;
const waitForRun = { timeoutMs: 60_000, intervalMs: 20 };

const tears = {
  'half of its JSON': (whole: string) => whole.slice(0, whole.length / 2),
  'zeros, as after a loss of power': (whole: string) => '\0'.repeat(whole.length),
};

test.serial(
  'a torn checkpoint is restored from its newest copy, and the container stays',
  async (t) => {
    const service = await startTestService(t);
    const instance = await createRunningInstance(service);
    await write(service, instance, 'kept', 'yes');
    const before = (await containerOf(instance.id)).id;
    let maxMemory = 32 * mib;
    for (const [name, tear] of Object.entries(tears)) {
      tearCheckpoint(service, instance.id, tear);
      maxMemory += 16 * mib;
      await changeMemory(t, service, instance, maxMemory);
      t.is((await containerOf(instance.id)).id, before, name);
      t.is(await read(service, instance, 'kept'), 'yes', name);
    }
    t.regex(await runPulumi(service, `preview -s ${instance.id} --expect-no-changes`), /unchanged/);
  },
);

test.serial(
  'a torn checkpoint without a copy is made anew around the data, with the same keys and password',
  async (t) => {
    const service = await startTestService(t);
    const instance = await createRunningInstance(service, { persistence: true });
    await write(service, instance, 'kept', 'yes');
    const volumes = await listVolumesOf(instance.id);
    tearCheckpoint(service, instance.id, () => '{"version": 3, "chec');
    removeCopies(service, instance.id);

    await changeMemory(t, service, instance, 48 * mib);
    t.is(await read(service, instance, 'kept'), 'yes');
    t.deepEqual(await listVolumesOf(instance.id), volumes);
    t.is((await listContainersOf(instance.id)).length, 1);
    t.regex(await runPulumi(service, `preview -s ${instance.id} --expect-no-changes`), /unchanged/);
    const { operation } = await service.api.call('DELETE', `/api/v1/instances/${instance.id}`);
    t.is((await awaitOperation(service, operation.id)).status, 'SUCCEEDED');
    t.deepEqual(await listVolumesOf(instance.id), []);
  },
);

test.serial(
  'a region whose state is lost is made anew around its network, and its instances go on',
  async (t) => {
    const service = await startTestService(t);
    const living = await createRunningInstance(service);
    tearCheckpoint(service, 'eu-central', () => '');
    removeCopies(service, 'eu-central');
    // The region's stack runs again with the second try of an instance.
    const instance = await requestInstance(service);
    const locks = join(stateDir(service), `locks/organization/swiftcache/${instance.id}`);
    await pollUntil(async () => readLock(locks), waitForRun);
    for (const { worker } of listWorkerGroups(service.dataDir)) process.kill(worker, 'SIGKILL');
    const operation = await awaitOperation(service, instance.operationId);
    t.is(operation.status, 'SUCCEEDED', JSON.stringify(operation.error));
    await write(service, living, 'still', 'there');
    t.regex(await runPulumi(service, 'preview -s eu-central --expect-no-changes'), /unchanged/);
  },
);

test.serial(
  "a dead process's lock is taken away though its kill left the files of the state half-written",
  async (t) => {
    const service = await startTestService(t);
    const instance = await createRunningInstance(service);
    const breaks = {
      attributes: () => tearAttributes(service, instance.id),
      checkpoint: () => tearCheckpoint(service, instance.id, () => ''),
      'checkpoint without a copy': () => {
        tearCheckpoint(service, instance.id, () => '');
        removeCopies(service, instance.id);
      },
    };
    let maxMemory = 32 * mib;
    for (const [name, tear] of Object.entries(breaks)) {
      await leaveLock(service, instance.id);
      tear();
      maxMemory += 16 * mib;
      await changeMemory(t, service, instance, maxMemory);
      t.is(countRuns(service), 0, name);
    }
    t.regex(await runPulumi(service, `preview -s ${instance.id} --expect-no-changes`), /unchanged/);
  },
);

test.serial(
  'an instance whose checkpoint is torn and whose container is gone can be deleted without trace',
  async (t) => {
    const service = await startTestService(t);
    const instance = await createRunningInstance(service);
    tearCheckpoint(service, instance.id, () => '');
    removeCopies(service, instance.id);
    await (await containerOf(instance.id)).remove({ force: true });
    const { operation } = await service.api.call('DELETE', `/api/v1/instances/${instance.id}`);
    t.is((await awaitOperation(service, operation.id)).status, 'SUCCEEDED');
    t.deepEqual(await listContainersOf(instance.id), []);
    t.deepEqual(await listVolumesOf(instance.id), []);
    t.deepEqual(filesNaming(service, instance.id), []);
  },
);

test.serial(
  'a service killed while its CLI hangs: the next one waits for the lock, and takes it only from the dead',
  async (t) => {
    const service = await startTestService(t);
    const instance = await requestInstance(service);
    const locks = join(stateDir(service), `locks/organization/swiftcache/${instance.id}`);
    const owner = await pollUntil(async () => readLock(locks), waitForRun);
    process.kill(owner, 'SIGSTOP');
    t.teardown(() => isRunning(owner) && process.kill(owner, 'SIGKILL'));
    const [lock] = readdirSync(locks);
    await service.end('SIGKILL');

    await service.start();
    const seen = { whileHeld: 0, brokenWhileHeld: 0 };
    while (isRunning(owner)) {
      seen.whileHeld += 1;
      const isThere = existsSync(join(locks, String(lock)));
      // Only what was gone while its owner still lived was taken from the living.
      if (!isThere && isRunning(owner)) seen.brokenWhileHeld += 1;
      await sleep(20);
    }
    t.true(seen.whileHeld > 10, 'the owner outlived the service');
    t.is(seen.brokenWhileHeld, 0);
    const operation = await awaitOperation(service, instance.operationId);
    t.is(operation.status, 'SUCCEEDED', JSON.stringify(operation.error));
    t.is((await listContainersOf(instance.id)).length, 1);
    t.regex(await runPulumi(service, `preview -s ${instance.id} --expect-no-changes`), /unchanged/);
    const isSwept = () =>
      listWorkerFolders(service).every((name) => name.includes(`~${service.pid}~`));
    await pollUntil(async () => isSwept() || undefined, waitForRun);
  },
);

test.serial(
  'a stop in the midst of creates, updates and deletes ends in time, and the next start ends them all',
  async (t) => {
    const service = await startTestService(t);
    const living = await Promise.all([1, 2, 3, 4].map(() => createRunningInstance(service)));
    const [first, second, ...others] = living as [TestInstance, TestInstance, ...TestInstance[]];
    const operations = await Promise.all([
      ...[first, second].map(({ id }) => ask(service, 'PATCH', id, { maxMemory: 64 * mib })),
      ...others.map(({ id }) => ask(service, 'DELETE', id)),
      ...Array.from({ length: creates }, async () => (await requestInstance(service)).operationId),
    ]);
    await pollUntil(async () => (countRuns(service) > 1 ? true : undefined), waitForRun);
    const beganMs = performance.now();
    t.is(await service.end('SIGTERM'), 0);
    const stopMs = performance.now() - beganMs;
    t.log(`${operations.length} in flight; stopped in ${Math.round(stopMs)} ms`);
    t.true(stopMs < 30_000);
    t.deepEqual(await listHeldLeases(service), []);
    t.deepEqual(listWorkerFolders(service), []);

    await service.start();
    const ended = await Promise.all(operations.map((id) => awaitOperation(service, id)));
    t.deepEqual(
      ended.filter(({ status }) => status !== 'SUCCEEDED'),
      [],
    );
    for (const { id } of others) t.deepEqual(await listVolumesOf(id), []);
  },
);

test.serial(
  'what belongs to nobody is swept away, but never a volume that the database does not know',
  async (t) => {
    const service = await startTestService(t);
    const alive = await createRunningInstance(service);
    const deleted = await createRunningInstance(service);
    await awaitOperation(service, await ask(service, 'DELETE', deleted.id));
    await service.end('SIGTERM');
    const [lost, unknown] = [newId('inst'), newId('inst')];
    const container = await (await containerOf(alive.id)).inspect();
    const labelsOf = (id: string) => ({
      ...container.Config.Labels,
      'swiftcache.instance': id,
    });
    await docker.createContainer({ Image: container.Image, Labels: labelsOf(lost) });
    for (const id of [deleted.id, lost]) await docker.createVolume({ Labels: labelsOf(id) });
    for (const id of [alive.id, deleted.id, lost, unknown]) leaveOldFiles(service, id);

    await service.start();
    const areGone = async () => {
      const things = [
        ...(await listContainersOf(lost)),
        ...(await listVolumesOf(deleted.id)),
        ...filesNaming(service, deleted.id),
        ...filesNaming(service, unknown),
      ];
      return things.length === 0 || undefined;
    };
    await pollUntil(areGone, waitForRun);
    t.is((await listVolumesOf(lost)).length, 1, 'it may be somebody’s data');
    t.not(filesNaming(service, lost).length, 0, 'and here may be its password');
    t.regex(service.output(), /belongs to no instance of the database; it is kept/);
    t.is((await listContainersOf(alive.id)).length, 1);
    t.not(filesNaming(service, alive.id).length, 0);
  },
);

async function changeMemory(
  t: ExecutionContext,
  service: TestService,
  { id }: TestInstance,
  maxMemory: number,
): Promise<void> {
  const { operation } = await service.api.call('PATCH', `/api/v1/instances/${id}`, { maxMemory });
  const ended = await awaitOperation(service, operation.id);
  t.is(ended.status, 'SUCCEEDED', JSON.stringify(ended.error));
}

async function write(service: TestService, { id, key }: TestInstance, name: string, value: string) {
  await service.api.withToken(key).call('GET', `/redis/${id}/set/${name}/${value}`);
}

async function read(service: TestService, { id, key }: TestInstance, name: string) {
  return (await service.api.withToken(key).call('GET', `/redis/${id}/get/${name}`)).result;
}

async function ask(
  service: TestService,
  method: string,
  id: string,
  body?: Record<string, unknown>,
): Promise<string> {
  const { operation } = await service.api.call(method, `/api/v1/instances/${id}`, body);
  return operation.id;
}

/** The temporary folders of workers; each names the service that made it. */
function listWorkerFolders({ dataDir }: TestService): string[] {
  return readdirSync(join(dataDir, 'tmp'));
}

async function listHeldLeases({ dataDir }: TestService): Promise<string[]> {
  const orm = await openDatabase({
    databaseUrl: undefined,
    databaseFile: join(dataDir, 'swiftcache.db'),
  });
  const rows = await orm.em.fork().find(InstanceEntity, { leaseOwner: { $ne: null } });
  await orm.close();
  return rows.map(({ id }) => id);
}
