/** What is seen of real Redis servers, and what is done at once. */
import test, { type ExecutionContext } from 'ava';
import { liveParameters } from '../../../../infra/live-settings.ts';
import { pollUntil } from '../../../../src/lib/retry.ts';
import { createRedisLooks } from '../../../../src/provisioning/drift/look-at-redis.ts';
import { openTestDatabase } from '../../../support/databases.ts';
import { type RedisContainer, startRedisContainer } from '../../../support/redis-container.ts';
import { addDataKey, readInstance } from '../../../support/rows.ts';
import {
  addRunning,
  listMendings,
  listUsers,
  platformPassword,
  raiseRevision,
  startAccessWorld,
} from '../access-world.ts';

const patience = { timeoutMs: 20_000, intervalMs: 20 };
let redis: RedisContainer;
test.before(async () => {
  redis = await startRedisContainer(undefined, { platformPassword });
});
test.after.always(async () => await redis?.remove());

async function startLooks(t: ExecutionContext) {
  const orm = await openTestDatabase(t);
  const world = await startAccessWorld(t, { orm, redis });
  const { maxMemoryBytes, evictionPolicy, persistence, id } = world.instance;
  const settings = liveParameters({ maxMemoryBytes, evictionPolicy, persistence });
  await redis.admin.config('SET', ...(Object.entries(settings).flat() as [string, string]));
  let changes = 0;
  let syncs = 0;
  const looks = createRedisLooks({
    clients: world.clients,
    accessSync: {
      ...world.accessSync,
      sync: async (instanceId) => {
        syncs += 1;
        return await world.accessSync.sync(instanceId);
      },
    },
    onChange: () => {
      changes += 1;
    },
  });
  t.teardown(() => looks.settled());
  const look = async () => {
    looks.keepOnly(new Set());
    const row = await readInstance(orm, id);
    looks.begin([row]);
    const seen = await pollUntil(async () => looks.parametersOf(row), patience);
    await looks.settled();
    return seen;
  };
  return { ...world, orm, looks, look, settings, changes: () => changes, syncs: () => syncs };
}

test.serial('settings that were changed are seen, and ask for a look', async (t) => {
  const { look, settings, changes } = await startLooks(t);
  t.deepEqual({ ...(await look()) }, { ...settings });
  t.is(changes(), 0);
  await redis.admin.config('SET', 'maxmemory-policy', 'noeviction');
  t.is((await look())['maxmemory-policy'], 'noeviction');
  t.is(changes(), 1);
});

test.serial('users that are as they were left cost no more than the look', async (t) => {
  const { look, syncs, orm, instance } = await startLooks(t);
  const key = await addDataKey(orm, instance.organizationId, {}, [instance.id]);
  await raiseRevision({ orm }, instance.id);
  await look();
  t.is(syncs(), 1, 'nobody has left them yet');
  await look();
  await look();
  t.is(syncs(), 1);
  await redis.deleteUser(key.id);
  await redis.setUser({ name: 'stranger', passwordHash: 'a'.repeat(64), permissions: ['read'] });
  await look();
  t.is(syncs(), 2);
  t.deepEqual(await listUsers(redis), ['default', key.id, 'swiftcache'].sort());
  t.deepEqual(await listMendings({ orm }), [
    { missing: [key.id], extra: [], changed: [], otherUsers: 1 },
  ]);
});

test.serial('what was seen before a run or a wish is not of the row after it', async (t) => {
  const { look, looks, orm, instance } = await startLooks(t);
  await look();
  const row = await readInstance(orm, instance.id);
  t.truthy(looks.parametersOf(row));
  t.is(looks.parametersOf({ ...row, leaseEpoch: row.leaseEpoch + 1 }), undefined);
  t.is(looks.parametersOf({ ...row, generation: row.generation + 1 }), undefined);
});

test.serial('one that does not answer holds up no other', async (t) => {
  const { looks, orm, instance } = await startLooks(t);
  const silent = await addRunning(
    orm,
    { host: '127.0.0.1', port: 1 },
    { organizationId: instance.organizationId },
  );
  const row = await readInstance(orm, instance.id);
  looks.begin([silent, row]);
  await pollUntil(async () => looks.parametersOf(row), patience);
  t.is(looks.parametersOf(silent), undefined);
});
