/** The users of an instance's Redis follow the database, whatever they were before. */
import test from 'ava';
import { Redis } from 'ioredis';
import { createDataSecret } from '../../../src/keys/format.ts';
import { createAccessSync } from '../../../src/provisioning/access.ts';
import { DataKeyEntity, KeyBindingEntity } from '../../../src/store/entities/data-key.ts';
import { openTestDatabase } from '../../support/databases.ts';
import { type RedisContainer, startRedisContainer } from '../../support/redis-container.ts';
import { addDataKey, readInstance } from '../../support/rows.ts';
import {
  listMendings,
  listRules,
  listUsers,
  platformPassword,
  raiseRevision,
  startAccessWorld,
} from './access-world.ts';

let redis: RedisContainer;
test.before(async () => {
  redis = await startRedisContainer(undefined, { platformPassword });
});
test.after.always(async () => await redis?.remove());

const nothing = { missing: [], extra: [], changed: [] };

async function prepare(t: Parameters<typeof openTestDatabase>[0]) {
  return await startAccessWorld(t, { orm: await openTestDatabase(t), redis });
}

test.serial(
  'every bound key is a user, others are not, and once more changes nothing',
  async (t) => {
    const { orm, instance, accessSync } = await prepare(t);
    const { id, organizationId } = instance;
    const one = await addDataKey(orm, organizationId, {}, [id]);
    const two = await addDataKey(orm, organizationId, { permissions: ['read'] }, [id]);
    await addDataKey(orm, organizationId);
    await redis.admin.call('ACL', 'SETUSER', 'somebody', 'on', 'nopass', '~*', '+@all');
    await raiseRevision({ orm }, id);
    t.deepEqual(await accessSync.sync(id), nothing);
    t.deepEqual(await listUsers(redis), ['default', one.id, two.id, 'swiftcache'].sort());
    t.is((await readInstance(orm, id)).accessAppliedRevision, 1);
    const rules = await listRules(redis);
    t.true(rules.some((line) => line.startsWith(`user ${two.id} `) && !line.includes('+@write')));
    t.deepEqual(await accessSync.sync(id), nothing);
    t.deepEqual(await listRules(redis), rules);
    t.deepEqual(await listMendings({ orm }), []);
  },
);

test.serial(
  'a change is saved for a restart, and what comes back is what was wanted',
  async (t) => {
    const { orm, instance, accessSync } = await prepare(t);
    const { id, organizationId } = instance;
    const key = await addDataKey(orm, organizationId, {}, [id]);
    await raiseRevision({ orm }, id);
    await accessSync.sync(id);
    // Each process of Redis has an order of its own for the commands in a user's rules.
    const inOrder = (lines: string[]): string[][] => lines.map((line) => line.split(' ').sort());
    const before = await listRules(redis);
    await redis.restart();
    t.deepEqual(inOrder(await listRules(redis)), inOrder(before));
    t.deepEqual(await accessSync.sync(id), nothing);
    t.true((await listUsers(redis)).includes(key.id));
  },
);

test.serial(
  'a change that is in memory from a server that died is saved with its revision',
  async (t) => {
    const { orm, instance, accessSync } = await prepare(t);
    const { id, organizationId } = instance;
    const key = await addDataKey(orm, organizationId, {}, [id]);
    await raiseRevision({ orm }, id);
    await accessSync.sync(id);
    await orm.em.fork().nativeDelete(DataKeyEntity, { id: key.id });
    await redis.deleteUser(key.id);
    await raiseRevision({ orm }, id);
    t.deepEqual(await accessSync.sync(id), nothing);
    await redis.restart();
    t.deepEqual(await listUsers(redis), ['default', 'swiftcache']);
  },
);

test.serial('a key that has expired is no user, and that is no fault of anybody', async (t) => {
  const { orm, instance, accessSync, clock } = await prepare(t);
  const { id, organizationId } = instance;
  const expiresAt = new Date(clock.now().getTime() + 1_000);
  const key = await addDataKey(orm, organizationId, { expiresAt }, [id]);
  await raiseRevision({ orm }, id);
  await accessSync.sync(id);
  t.true((await listUsers(redis)).includes(key.id));
  clock.advance(1_000);
  t.deepEqual(await accessSync.sync(id), nothing);
  t.false((await listUsers(redis)).includes(key.id));
  t.deepEqual(await listMendings({ orm }), []);
});

test.serial('a change that is committed while one is written is written too', async (t) => {
  const world = await prepare(t);
  const { orm, instance, clients } = world;
  const { id, organizationId } = instance;
  await addDataKey(orm, organizationId, {}, [id]);
  await raiseRevision({ orm }, id);
  let late: string | undefined;
  // As another server does it: past this process's queue, once the wanted users were read.
  const meddling: typeof clients = {
    ...clients,
    async use(place, work) {
      if (late === undefined) {
        late = (await addDataKey(orm, organizationId, {}, [id])).id;
        await raiseRevision({ orm }, id);
      }
      return await clients.use(place, work);
    },
  };
  const accessSync = createAccessSync({ ...world, clients: meddling });
  t.deepEqual(await accessSync.sync(id), nothing);
  t.true((await listUsers(redis)).includes(late ?? ''));
  t.is((await readInstance(orm, id)).accessAppliedRevision, 2);
});

test.serial(
  'many at once are few: one at a time, and each sees what was committed before',
  async (t) => {
    const world = await prepare(t);
    const { orm, instance, clients } = world;
    const { id, organizationId } = instance;
    let atOnce = 0;
    let most = 0;
    let runs = 0;
    const counting: typeof clients = {
      ...clients,
      async use(place, work) {
        atOnce += 1;
        runs += 1;
        most = Math.max(most, atOnce);
        try {
          return await clients.use(place, work);
        } finally {
          atOnce -= 1;
        }
      },
    };
    const accessSync = createAccessSync({ ...world, clients: counting });
    await Promise.all(
      Array.from({ length: 30 }, async () => {
        const key = await addDataKey(orm, organizationId, {}, [id]);
        await raiseRevision({ orm }, id);
        await accessSync.sync(id);
        t.true((await listUsers(redis)).includes(key.id));
      }),
    );
    t.is(most, 1);
    t.true(runs < 60, `${runs}`);
  },
);

test.serial('a removed key loses its connections; one that loses a right keeps them', async (t) => {
  const { orm, instance, accessSync } = await prepare(t);
  const { id, organizationId } = instance;
  const open = async () => {
    const { secret, hash } = createDataSecret();
    const key = await addDataKey(orm, organizationId, { secretHash: hash }, [id]);
    await raiseRevision({ orm }, id);
    await accessSync.sync(id);
    const client = new Redis({
      port: redis.port,
      username: key.id,
      password: secret,
      retryStrategy: () => null,
    });
    t.teardown(() => client.disconnect());
    client.on('error', () => {});
    await client.set('x', '1');
    return { key, client };
  };
  const removed = await open();
  const lessened = await open();
  const ended = new Promise((resolve) => removed.client.once('end', resolve));
  await orm.em.fork().nativeDelete(KeyBindingEntity, { keyId: removed.key.id });
  const changes = { permissions: ['read' as const] };
  await orm.em.fork().nativeUpdate(DataKeyEntity, { id: lessened.key.id }, changes);
  await raiseRevision({ orm }, id);
  await accessSync.sync(id);
  await ended;
  t.is(await lessened.client.get('x'), '1');
  await t.throwsAsync(lessened.client.set('x', '2'), { message: /^NOPERM/ });
});

test.serial('a connection that ended unnoticed is no failure', async (t) => {
  const { orm, instance, accessSync } = await prepare(t);
  const { id, organizationId } = instance;
  await accessSync.sync(id);
  await redis.restart();
  const key = await addDataKey(orm, organizationId, {}, [id]);
  await raiseRevision({ orm }, id);
  await accessSync.sync(id);
  t.true((await listUsers(redis)).includes(key.id));
});

test.serial('an instance that does not answer is an error without the password', async (t) => {
  const { orm, accessSync, instance } = await prepare(t);
  const { id } = instance;
  await raiseRevision({ orm }, id);
  await redis.admin.call('ACL', 'SETUSER', 'swiftcache', 'resetpass', '>another');
  t.teardown(async () => {
    await redis.admin.call('ACL', 'SETUSER', 'swiftcache', 'resetpass', `>${platformPassword}`);
  });
  const error = await t.throwsAsync(accessSync.sync(id), { message: /WRONGPASS/ });
  t.notRegex(JSON.stringify({ ...error }) + error?.stack, new RegExp(platformPassword));
  t.is((await readInstance(orm, id)).accessAppliedRevision, 0);
});
