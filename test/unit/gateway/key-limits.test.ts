/** From where and until when a key may be used over HTTP. */
import test from 'ava';
import { DataKeyEntity } from '../../../src/store/entities/data-key.ts';
import { type RedisContainer, startRedisContainer } from '../../support/redis-container.ts';
import { call, countConnections, startWorld } from './harness.ts';

let redis: RedisContainer;
test.before(async () => {
  redis = await startRedisContainer();
});
test.after.always(async () => await redis?.remove());

test.serial('a key that names addresses is used from there only', async (t) => {
  const world = await startWorld(t, redis);
  const { orm, key, gateway } = world;
  const allow = async (ipWhitelist: string[]): Promise<void> => {
    await orm.em.fork().nativeUpdate(DataKeyEntity, { id: key.id }, { ipWhitelist });
    gateway.dropKey(key.id);
  };
  await allow(['127.0.0.0/8']);
  t.is((await call(world, world, '/ping')).status, 200);
  await allow(['192.0.2.1']);
  const refused = await call(world, world, '/ping');
  t.is(refused.status, 403);
  t.deepEqual(refused.json, { error: 'This key may not be used from the address 127.0.0.1' });
  const { status } = await call(world, { ...world, instanceId: 'inst_none' }, '/ping');
  t.is(status, 403);
});

test.serial('a key that expires is invalid from that moment on', async (t) => {
  const world = await startWorld(t, redis);
  const { orm, key } = world;
  const expiresAt = new Date(Date.now() + 400);
  await orm.em.fork().nativeUpdate(DataKeyEntity, { id: key.id }, { expiresAt });
  t.is((await call(world, world, '/ping')).status, 200);
  await new Promise((resolve) => setTimeout(resolve, expiresAt.getTime() - Date.now() + 5));
  const refused = await call(world, world, '/ping');
  t.is(refused.status, 401);
  t.deepEqual(refused.json, { error: 'Invalid authentication token' });
});

test.serial('a key that was taken off one instance keeps its connections to others', async (t) => {
  const world = await startWorld(t, redis);
  t.is((await call(world, world, '/ping')).status, 200);
  world.gateway.dropKey(world.key.id, 'inst_other');
  t.is(await countConnections(redis, world), 1);
  world.gateway.dropKey(world.key.id, world.instanceId);
  t.is((await call(world, world, '/ping')).status, 200);
  t.is(await countConnections(redis, world), 1);
});
