/** What the sweep finds and mends by itself, on a real Redis and both databases. */
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { pollUntil } from '../../../src/lib/retry.ts';
import { createAccessControl } from '../../../src/provisioning/access-control.ts';
import { createAccessSweep } from '../../../src/provisioning/access-sweep.ts';
import type { Orm } from '../../../src/store/database.ts';
import { InstanceEntity } from '../../../src/store/entities/instance.ts';
import { openTestDatabase, testOnEachDatabase } from '../../support/databases.ts';
import { type RedisContainer, startRedisContainer } from '../../support/redis-container.ts';
import { addDataKey, readInstance } from '../../support/rows.ts';
import {
  addRunning,
  listMendings,
  listUsers,
  platformPassword,
  raiseRevision,
  startAccessWorld,
} from './access-world.ts';

const times = { tickMs: 20, cycleMs: 100, retryMs: 100 };
const patience = { timeoutMs: 5_000, intervalMs: 10 };

async function startSweep(t: ExecutionContext, orm: Orm, redis: RedisContainer) {
  const world = await startAccessWorld(t, { orm, redis });
  const dropped: string[] = [];
  const sweep = createAccessSweep({ ...world, dropKey: (id) => void dropped.push(id) }, times);
  t.teardown(() => sweep.stop());
  return { ...world, sweep, dropped };
}

let redis: RedisContainer;
test.before(async () => {
  redis = await startRedisContainer(undefined, { platformPassword });
});
test.after.always(async () => await redis?.remove());

/** Waits until exactly these keys are users. */
async function untilKeys(redis: RedisContainer, ids: readonly string[]): Promise<void> {
  const wanted = JSON.stringify([...ids, 'default', 'swiftcache'].sort());
  await pollUntil(async () => {
    return JSON.stringify(await listUsers(redis)) === wanted || undefined;
  }, patience);
}

testOnEachDatabase('a change that Redis has not followed is made good at once', async (t, orm) => {
  const own = await startRedisContainer(t, { platformPassword });
  const { instance, sweep, dropped } = await startSweep(t, orm, own);
  const { id, organizationId } = instance;
  sweep.start();
  const key = await addDataKey(orm, organizationId, {}, [id]);
  await raiseRevision({ orm }, id);
  await untilKeys(own, [key.id]);
  await pollUntil(async () => {
    return (await readInstance(orm, id)).accessAppliedRevision === 1 || undefined;
  }, patience);
  t.deepEqual(await listMendings({ orm }), []);
  t.deepEqual(dropped, []);
});

testOnEachDatabase('a key that expires is taken away, on every surface', async (t, orm) => {
  const own = await startRedisContainer(t, { platformPassword });
  const { instance, sweep, dropped, clock, accessSync } = await startSweep(t, orm, own);
  const { id, organizationId } = instance;
  const expiresAt = new Date(clock.now().getTime() + 5_000);
  const past = new Date(clock.now().getTime() - 1);
  const key = await addDataKey(orm, organizationId, { expiresAt }, [id]);
  const stays = await addDataKey(orm, organizationId, {}, [id]);
  await accessSync.sync(id);
  const expired = await addDataKey(orm, organizationId, { expiresAt: past }, [id]);
  sweep.start();
  await pollUntil(async () => dropped.length > 0 || undefined, patience);
  t.deepEqual(dropped, [expired.id]);
  await untilKeys(own, [key.id, stays.id]);
  clock.advance(5_000);
  await untilKeys(own, [stays.id]);
  // Redis may be told by the comparison, before the look at expired keys comes to it.
  await pollUntil(async () => dropped.length > 1 || undefined, patience);
  t.deepEqual(dropped, [expired.id, key.id]);
  const { accessRevision } = await readInstance(orm, id);
  await sleep(5 * times.tickMs);
  t.is((await readInstance(orm, id)).accessRevision, accessRevision);
});

test.serial('what was changed by hand is mended and noted once', async (t) => {
  const orm = await openTestDatabase(t);
  const { instance, sweep, accessSync } = await startSweep(t, orm, redis);
  const { id, organizationId } = instance;
  const key = await addDataKey(orm, organizationId, {}, [id]);
  await raiseRevision({ orm }, id);
  await accessSync.sync(id);
  sweep.start();
  await redis.deleteUser(key.id);
  await untilKeys(redis, [key.id]);
  await sleep(3 * times.cycleMs);
  const mendings = await pollUntil(async () => {
    const found = await listMendings({ orm });
    return found.length > 0 ? found : undefined;
  }, patience);
  t.deepEqual(mendings, [{ missing: [key.id], extra: [], changed: [], otherUsers: 0 }]);
});

test.serial(
  'an instance that does not answer is logged once and followed when it does',
  async (t) => {
    const orm = await openTestDatabase(t);
    const world = await startSweep(t, orm, redis);
    const { organizationId } = world.instance;
    const silent = await addRunning(orm, { host: '127.0.0.1', port: 1 }, { organizationId });
    world.sweep.start();
    await raiseRevision({ orm }, silent.id);
    await sleep(1_000);
    const lines = world.log().split('\n');
    t.is(lines.filter((line) => line.includes('could not be compared')).length, 1);
    const key = await addDataKey(orm, organizationId, {}, [silent.id]);
    await orm.em
      .fork()
      .nativeUpdate(InstanceEntity, { id: world.instance.id }, { status: 'STOPPED' });
    await orm.em.fork().nativeUpdate(InstanceEntity, { id: silent.id }, { nodePort: redis.port });
    await untilKeys(redis, [key.id]);
    await pollUntil(async () => /answers again/.test(world.log()) || undefined, patience);
    t.notRegex(world.log(), new RegExp(platformPassword));
  },
);

test.serial('instances that do not run are left alone', async (t) => {
  const orm = await openTestDatabase(t);
  const world = await startAccessWorld(t, { orm, redis });
  const { id, organizationId } = world.instance;
  for (const status of ['STOPPED', 'FAILED', 'PROVISIONING'] as const) {
    await orm.em.fork().nativeUpdate(InstanceEntity, { id }, { status });
    await addDataKey(orm, organizationId, {}, [id]);
    await raiseRevision({ orm }, id);
    const sweep = createAccessSweep({ ...world, dropKey: () => {} }, times);
    sweep.start();
    await sleep(200);
    await sweep.stop();
    t.deepEqual(await listUsers(redis), ['default', 'swiftcache']);
  }
});

test.serial(
  'an answer waits two seconds at most for an instance that does not answer',
  async (t) => {
    const orm = await openTestDatabase(t);
    const world = await startAccessWorld(t, { orm, redis });
    const access = createAccessControl({ ...world, dropKey: () => {} });
    const { id, organizationId } = world.instance;
    const key = await addDataKey(orm, organizationId, {}, [id]);
    await access.enforce([id]);
    t.true((await listUsers(redis)).includes(key.id));
    await redis.pause();
    const startedMs = performance.now();
    await access.enforce([id]);
    const tookMs = performance.now() - startedMs;
    await redis.unpause();
    t.true(tookMs > 1_900 && tookMs < 4_500, `${tookMs}`);
    await t.notThrowsAsync(access.enforce([]));
  },
);
