/** Keys on a whole service: in force at once on every path, and whatever happens to what holds them. */
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { Redis } from 'ioredis';
import { pollUntil } from '../../src/lib/retry.ts';
import type { Orm } from '../../src/store/database.ts';
import { AuditEntryEntity } from '../../src/store/entities/audit-entry.ts';
import { DataKeyEntity } from '../../src/store/entities/data-key.ts';
import { InstanceEntity } from '../../src/store/entities/instance.ts';
import { containerOf } from '../support/docker.ts';
import { asPlatform, openServiceDatabase, signIn, tryDoor } from '../support/instance-access.ts';
import {
  createRunningInstance,
  startTestService,
  type TestInstance,
  type TestService,
} from '../support/service.ts';

const patience = { timeoutMs: 60_000, intervalMs: 20 };

interface World {
  readonly t: ExecutionContext;
  readonly service: TestService;
  readonly orm: Orm;
  readonly one: TestInstance;
  readonly two: TestInstance;
}

interface MadeKey {
  readonly id: string;
  readonly secret: string;
}

test.serial('keys are in force at once and stay so, on every path', async (t) => {
  const service = await startTestService(t);
  const [one, two] = await Promise.all([
    createRunningInstance(service),
    createRunningInstance(service),
  ]);
  const orm = await openServiceDatabase(service);
  t.teardown(() => orm.close());
  const world = { t, service, orm, one, two };
  const tampered = await tamper(world);
  await useEveryPath(world);
  await useTwoInstances(world);
  await deleteWhileConnected(world);
  await restrictAddress(world);
  await expire(world);
  await restartContainer(world);
  await dieBetween(world);
  await awaitMending(world, tampered);
});

async function createKey({ service, one }: World, body: object = {}): Promise<MadeKey> {
  const path = `/api/v1/instances/${one.id}/api-keys`;
  const { createdKey } = await service.api.call('POST', path, { name: 'test', ...body });
  return { id: createdKey.id, secret: createdKey.plainTextKey };
}

async function deleteKey({ service }: World, { id }: MadeKey): Promise<void> {
  await service.api.call('DELETE', `/api/v1/api-keys/${id}`);
}

async function connect({ t, one }: World, secret: string, user?: string): Promise<Redis> {
  const redis = await signIn({ port: one.port, secret, ...(user !== undefined && { user }) });
  if (typeof redis === 'string') throw new Error(redis);
  t.teardown(() => redis.disconnect());
  return redis;
}

async function overHttp(
  { service }: World,
  { id }: TestInstance,
  { secret }: MadeKey,
  command: readonly string[],
): Promise<{ status: number; text: string }> {
  const response = await fetch(`${service.url}/redis/${id}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${secret}` },
    body: JSON.stringify(command),
  });
  return { status: response.status, text: await response.text() };
}

async function useEveryPath(world: World): Promise<void> {
  const { t, one, service } = world;
  const key = await createKey(world);
  const redis = await connect(world, key.secret);
  t.is(await redis.set('path', 'door'), 'OK');
  t.is((await overHttp(world, one, key, ['GET', 'path'])).text, '{"result":"door"}');

  const reader = await createKey(world, { permissions: ['read'] });
  const reading = await connect(world, reader.secret);
  t.is(await reading.get('path'), 'door');
  await t.throwsAsync(reading.set('path', 'x'), { message: /^NOPERM/ });
  t.is((await overHttp(world, one, reader, ['SET', 'path', 'x'])).status, 400);

  await service.api.call('PATCH', `/api/v1/api-keys/${key.id}`, { permissions: ['read'] });
  t.regex((await overHttp(world, one, key, ['SET', 'path', 'x'])).text, /NOPERM/);
  const lessened = await connect(world, key.secret);
  await t.throwsAsync(lessened.set('path', 'x'), { message: /^NOPERM/ });

  const nobody = new Redis({ port: one.port, lazyConnect: true, retryStrategy: () => null });
  nobody.on('error', () => {});
  t.teardown(() => nobody.disconnect());
  await t.throwsAsync(nobody.get('path'), { message: /^NOAUTH/ });
  t.is(await tryDoor({ port: one.port, secret: `sc_live_${'0'.repeat(32)}` }), 'WRONGPASS');
}

async function useTwoInstances(world: World): Promise<void> {
  const { t, one, two, service } = world;
  const key = await createKey(world);
  const path = `/api/v1/instances/${two.id}/api-keys/${key.id}`;
  await service.api.call('PUT', path);
  for (const { id } of [one, two]) {
    const redis = await connect(world, key.secret, id);
    await redis.set('where', id);
    t.is(await redis.get('where'), id);
  }
  const { port } = one;
  t.is(await tryDoor({ port, secret: key.secret }), 'ERR');
  await service.api.call('DELETE', path);
  t.is(await tryDoor({ port, secret: key.secret, user: two.id }), 'WRONGPASS');
  t.is((await overHttp(world, two, key, ['PING'])).status, 404);
  t.is(await tryDoor({ port, secret: key.secret }), 'OK');
}

/** From the answer to the first refusal on each path, and to the end of a connection that was open. */
async function deleteWhileConnected(world: World): Promise<void> {
  const { t, one } = world;
  const key = await createKey(world);
  const redis = await connect(world, key.secret);
  t.is((await overHttp(world, one, key, ['PING'])).status, 200);
  const ended = new Promise<number>((resolve) => {
    redis.once('end', () => resolve(performance.now()));
  });
  await deleteKey(world, key);
  const answeredMs = performance.now();
  t.is(await tryDoor({ port: one.port, secret: key.secret }), 'WRONGPASS');
  const doorMs = performance.now() - answeredMs;
  t.is((await overHttp(world, one, key, ['PING'])).status, 401);
  const httpMs = performance.now() - answeredMs - doorMs;
  const endedMs = (await ended) - answeredMs;
  t.log({ doorMs, httpMs, endedMs });
  t.true(doorMs < 100 && httpMs < 100, `${doorMs} and ${httpMs}`);
  t.true(endedMs < 1_000, `${endedMs}`);
}

async function restrictAddress(world: World): Promise<void> {
  const { t, one, service } = world;
  const key = await createKey(world, { ipWhitelist: ['127.0.0.1', '::1'] });
  const redis = await connect(world, key.secret);
  t.is((await overHttp(world, one, key, ['PING'])).status, 200);
  const ended = new Promise((resolve) => redis.once('end', resolve));
  const change = { ipWhitelist: ['192.0.2.0/24'] };
  await service.api.call('PATCH', `/api/v1/api-keys/${key.id}`, change);
  await ended;
  t.is(await tryDoor({ port: one.port, secret: key.secret }), 'NOPERM');
  t.is((await overHttp(world, one, key, ['PING'])).status, 403);
}

async function expire(world: World): Promise<void> {
  const { t, one, service, orm } = world;
  const expiresAt = new Date(Date.now() + 1_500);
  const key = await createKey(world, { expiresAt: expiresAt.toISOString() });
  const redis = await connect(world, key.secret);
  const ended = new Promise<number>((resolve) => redis.once('end', () => resolve(Date.now())));
  const lateMs = (await ended) - expiresAt.getTime();
  t.true(lateMs >= 0 && lateMs < 1_500, `${lateMs}`);
  t.is(await tryDoor({ port: one.port, secret: key.secret }), 'WRONGPASS');
  await pollUntil(async () => {
    const users = await asPlatform(service, orm, one.id, (platform) => platform.acl('USERS'));
    return !users.includes(key.id) || undefined;
  }, patience);
}

/** What was deleted does not come back with the container, and what was bound goes on. */
async function restartContainer(world: World): Promise<void> {
  const { t, one } = world;
  const [stays, goes] = [await createKey(world), await createKey(world)];
  await deleteKey(world, goes);
  await (await containerOf(one.id)).restart({ t: 10 });
  const attempt = { port: one.port, secret: stays.secret };
  await pollUntil(async () => (await tryDoor(attempt)) === 'OK' || undefined, patience);
  t.is(await tryDoor({ port: one.port, secret: goes.secret }), 'WRONGPASS');
  const users = await asPlatform(world.service, world.orm, one.id, (redis) => redis.acl('USERS'));
  t.true(users.includes(stays.id));
  t.false(users.includes(goes.id));
}

/** The service dies after the change is in the database and before Redis hears of it. */
async function dieBetween(world: World): Promise<void> {
  const { t, one, service, orm } = world;
  const key = await createKey(world);
  await service.end('SIGKILL');
  await orm.em.fork().nativeDelete(DataKeyEntity, { id: key.id });
  const em = orm.em.fork();
  const instance = await em.findOneOrFail(InstanceEntity, { id: one.id });
  instance.accessRevision += 1;
  await em.flush();
  const listUsers = () => asPlatform(service, orm, one.id, (redis) => redis.acl('USERS'));
  t.true((await listUsers()).includes(key.id));
  await service.start();
  const followed = async () => !(await listUsers()).includes(key.id) || undefined;
  await pollUntil(followed, { timeoutMs: 3_000, intervalMs: 50 });
}

interface Tampered {
  readonly removed: MadeKey;
  readonly widened: MadeKey;
}

/** An operator, or an intruder, changes users past the service, and even saves them. */
async function tamper(world: World): Promise<Tampered> {
  const { service, orm, one } = world;
  const removed = await createKey(world);
  const widened = await createKey(world, { permissions: ['read'] });
  await asPlatform(service, orm, one.id, async (redis) => {
    await redis.acl('DELUSER', removed.id);
    await redis.acl('SETUSER', widened.id, '+@all');
    await redis.acl('SETUSER', 'intruder', 'on', 'nopass', '~*', '&*', '+@all');
    await redis.acl('SAVE');
  });
  return { removed, widened };
}

async function awaitMending(world: World, { removed, widened }: Tampered): Promise<void> {
  const { t, service, orm, one } = world;
  const isMended = async (): Promise<boolean> => {
    const lines = await asPlatform(service, orm, one.id, (redis) => redis.acl('LIST'));
    const text = (lines as string[]).join('\n');
    const isWide = new RegExp(`user ${widened.id} .*\\+@all`).test(text);
    return text.includes(`user ${removed.id} `) && !isWide && !text.includes('user intruder ');
  };
  await pollUntil(async () => (await isMended()) || undefined, patience);
  await sleep(100);
  const entries = await orm.em.fork().find(AuditEntryEntity, { action: 'access.mend' });
  const seen = entries.map(({ details }) => details);
  t.log(seen);
  t.true(seen.some(({ missing }) => (missing as string[]).includes(removed.id)));
  t.true(seen.some(({ changed }) => (changed as string[]).includes(widened.id)));
  t.true(seen.some(({ otherUsers }) => otherUsers === 1));
  t.true(entries.every(({ actorKind, targetId }) => actorKind === 'system' && targetId === one.id));
}
