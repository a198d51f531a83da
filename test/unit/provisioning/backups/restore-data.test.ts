/** Restores in one process, with a real Redis, broken off before each of their changes. */

import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import { pack } from 'tar-stream';
import { AppError } from '../../../../src/lib/errors.ts';
import { readDataFile, writeMark } from '../../../../src/provisioning/backups/container-files.ts';
import { type RestoreRun, restoreData } from '../../../../src/provisioning/backups/restore-data.ts';
import { saveRdb } from '../../../../src/provisioning/backups/save-rdb.ts';
import { startContainer, stopContainer } from '../../../../src/provisioning/docker.ts';
import { LeaseLost } from '../../../../src/provisioning/fenced-writes.ts';
import { awaitReady } from '../../../../src/provisioning/instance-power.ts';
import { claimNext } from '../../../../src/provisioning/leases.ts';
import { requireData } from '../../../../src/provisioning/lost-data.ts';
import type { Orm } from '../../../../src/store/database.ts';
import { BackupEntity } from '../../../../src/store/entities/backup.ts';
import { type Instance, InstanceEntity } from '../../../../src/store/entities/instance.ts';
import { createTestClock } from '../../../support/clock.ts';
import { openTestDatabase } from '../../../support/databases.ts';
import { docker } from '../../../support/docker.ts';
import {
  askInstance,
  containerSealer,
  startInstanceContainer,
} from '../../../support/instance-container.ts';
import { addBackup, addOperation, readInstance } from '../../../support/rows.ts';
import { createMemoryStore, createTestVault, type MemoryStore } from '../../../support/vault.ts';

interface World {
  readonly orm: Orm;
  readonly instance: Instance;
  readonly store: MemoryStore;
  readonly services: Parameters<typeof restoreData>[0];
}

/** An instance that is to be restored from a backup of itself that holds `saved`, and holds `later` too. */
async function createWorld(t: ExecutionContext, persistence: boolean): Promise<World> {
  const orm = await openTestDatabase(t);
  const instance = await startInstanceContainer(t, orm, { persistence });
  const store = createMemoryStore();
  const vault = createTestVault(store);
  await askInstance(instance, async (redis) => {
    await redis.set('saved', '1');
    await saveRdb(redis, new AbortController().signal);
  });
  const container = docker.getContainer(`swiftcache-${instance.id}`);
  const signal = new AbortController().signal;
  const rdb = await buffer(await readDataFile(container, 'dump.rdb', signal));
  const backup = await addBackup(orm, instance, { status: 'AVAILABLE', location: 'it' });
  const bytesMax = Number.MAX_SAFE_INTEGER;
  const place = { id: backup.id, location: 'it' };
  const stored = await vault.put(place, Readable.from([rdb]), { bytesMax });
  Object.assign(backup, stored);
  await orm.em.fork().nativeUpdate(BackupEntity, { id: backup.id }, stored);
  Object.assign(instance, { generation: 2, restoreBackupId: backup.id, restoreGeneration: 2 });
  await askInstance(instance, (redis) => redis.set('later', '1'));
  const services = {
    ...{ orm, vault, sealer: containerSealer },
    ...{ installationId: `test-${instance.id}`, holder: 'me' },
  };
  return { orm, instance, store, services };
}

/** A try that ends as if its process had died before its `deathAt`th change. */
function runOf(instance: Instance, deathAt = Number.POSITIVE_INFINITY): RestoreRun {
  instance.leaseEpoch += 1;
  let changes = 0;
  return {
    docker,
    signal: new AbortController().signal,
    alive() {},
    async onBegin() {
      instance.restoreBegunGeneration = instance.restoreGeneration;
      return true;
    },
    async holdsLease() {
      changes += 1;
      return changes < deathAt;
    },
  };
}

async function keysOf(instance: Instance): Promise<string[]> {
  return (await askInstance(instance, (redis) => redis.keys('*'))).sort();
}

async function start(instance: Instance): Promise<void> {
  await startContainer(docker, instance.id);
  await awaitReady(containerSealer, instance, () => {});
}

for (const persistence of [true, false]) {
  test.serial(
    `wherever a restore breaks off, the next try ends it, persistence ${persistence}`,
    async (t) => {
      const { instance, services } = await createWorld(t, persistence);
      const changes = persistence ? 7 : 6;
      for (let deathAt = 1; deathAt <= changes; deathAt += 1) {
        await t.throwsAsync(restoreData(services, instance, runOf(instance, deathAt)), {
          instanceOf: LeaseLost,
        });
        // As every try begins; what was written into the volume must not keep Redis from starting.
        await start(instance);
      }
      t.true(await restoreData(services, instance, runOf(instance)));
      t.deepEqual(await keysOf(instance), ['saved']);
      if (!persistence) return;
      await askInstance(instance, (redis) => redis.set('after', '1'));
      await stopContainer(docker, instance.id);
      await start(instance);
      t.deepEqual(await keysOf(instance), ['after', 'saved'], 'the mark is off');
    },
  );
}

test.serial('a store that goes away after the first change refuses nothing any more', async (t) => {
  const { instance, store, services } = await createWorld(t, true);
  const objects = new Map(store.objects);
  store.objects.clear();
  await t.throwsAsync(restoreData(services, instance, runOf(instance)), { instanceOf: AppError });
  t.deepEqual(await keysOf(instance), ['later', 'saved'], 'nothing has begun');

  const give = (): void => {
    for (const [name, content] of objects) store.objects.set(name, content);
  };
  give();
  await t.throwsAsync(restoreData(services, instance, runOf(instance, 6)));
  store.objects.clear();
  const error = await t.throwsAsync(restoreData(services, instance, runOf(instance)));
  t.false(error instanceof AppError, 'it is tried again');
  give();
  t.true(await restoreData(services, instance, runOf(instance)));
  t.deepEqual(await keysOf(instance), ['saved']);
});

test.serial('a file that ends too early half-way is no refusal, and is let go of', async (t) => {
  const { instance, services } = await createWorld(t, false);
  const { vault } = services;
  const opened: Readable[] = [];
  let opens = 0;
  const breaking: typeof vault = {
    ...vault,
    async open(backup) {
      const content = await vault.open(backup);
      opens += 1;
      const given = opens === 1 ? content : Readable.from(broken());
      if (given !== content) content.destroy();
      opened.push(given);
      return given;
    },
  };
  await t.throwsAsync(
    restoreData(services, instance, runOf(instance, 5)),
    undefined,
    'it is marked',
  );
  const run = runOf(instance);
  const error = await t.throwsAsync(restoreData({ ...services, vault: breaking }, instance, run));
  t.false(error instanceof AppError);
  t.deepEqual(
    opened.map(({ destroyed }) => destroyed),
    [true, true],
  );
  await t.notThrowsAsync(start(instance), 'Redis is not told to load what is not whole');
});

async function* broken(): AsyncGenerator<Buffer> {
  yield Buffer.from('REDIS');
  throw new AppError('backup_store_unreachable');
}

test.serial('a restore that another try has taken over leaves its mark alone', async (t) => {
  const { instance, services } = await createWorld(t, false);
  const run = runOf(instance);
  let changes = 0;
  const overtaken: RestoreRun = {
    ...run,
    async holdsLease() {
      changes += 1;
      // Another has just written its own.
      if (changes === 6) await mark(instance, 'another');
      return true;
    },
  };
  await t.throwsAsync(restoreData(services, instance, overtaken), { instanceOf: LeaseLost });
  const container = docker.getContainer(`swiftcache-${instance.id}`);
  const file = await readDataFile(container, 'restoring', run.signal);
  t.is(String(await buffer(file)), 'another');
});

async function mark({ id }: Instance, text: string): Promise<void> {
  await writeMark(docker.getContainer(`swiftcache-${id}`), 'restoring', text);
}

test.serial('a save that fails stops no writes', async (t) => {
  const orm = await openTestDatabase(t);
  const instance = await startInstanceContainer(t, orm, { persistence: true });
  const container = docker.getContainer(`swiftcache-${instance.id}`);
  // Nothing can be saved under the name of a folder.
  const folder = pack();
  folder.entry({ name: 'dump.rdb/in-the-way', type: 'directory', uid: 999 });
  folder.finalize();
  await container.putArchive(folder as unknown as NodeJS.ReadableStream, { path: '/data' });
  await askInstance(instance, async (redis) => {
    await redis.config('SET', 'save', '3600 1');
    await t.throwsAsync(saveRdb(redis, new AbortController().signal));
    t.is(await redis.set('written', '1'), 'OK');
  });
});

/** What requireData is given by a try at an instance whose volume is gone. */
async function loseData({ orm, instance, services }: World) {
  const row = {
    generation: 2,
    appliedGeneration: 1,
    appliedPersistence: true,
    restoreBackupId: instance.restoreBackupId,
    restoreGeneration: 2,
  };
  await orm.em.fork().nativeUpdate(InstanceEntity, { id: instance.id }, row);
  await addOperation(orm, { ...instance, generation: 2 }, { kind: 'restore' });
  const clock = createTestClock();
  const claim = await claimNext({ orm, clock, owner: 'me' });
  if (!claim) throw new Error('nothing was claimed');
  const work = {
    claim,
    instance: await readInstance(orm, instance.id),
    operation: undefined,
    signal: new AbortController().signal,
    holdsLease: async () => true,
    steps: {
      run: async <T>(_: string, step: (alive: () => void) => Promise<T>) => await step(() => {}),
      begin() {},
      flushed: async () => {},
    },
  };
  const others = { clock, accessSync: undefined as never, onInstanceGone() {} };
  return { work, require: () => requireData({ ...services, ...others }, docker, work) };
}

test.serial('lost data are given back only by a backup that loads', async (t) => {
  const world = await createWorld(t, true);
  const { orm, instance, store } = world;
  const objects = new Map(store.objects);
  store.objects.clear();
  const { require, work } = await loseData(world);
  await t.throwsAsync(require(), { instanceOf: AppError });
  const refused = await readInstance(orm, instance.id);
  t.like(refused, { status: 'DEGRADED', restoreBegunGeneration: 0, emptyVolumeGeneration: 0 });
  t.is(refused.drift[0]?.kind, 'data_volume_missing');

  for (const [name, content] of objects) store.objects.set(name, content);
  t.true(await require());
  t.is(work.instance.restoreBegunGeneration, 2);
  t.like(await readInstance(orm, instance.id), { status: 'RESTARTING', restoreBegunGeneration: 2 });
});
