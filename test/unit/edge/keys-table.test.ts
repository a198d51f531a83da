/** Keys over TCP: one table of who may do what, as over HTTP, and what ends a connection that is open. */
import test, { type ExecutionContext } from 'ava';
import { bindKey } from '../../../src/keys/data-keys.ts';
import { newId } from '../../../src/lib/ids.ts';
import type { EntityManager, Orm } from '../../../src/store/database.ts';
import { DataKeyEntity, KeyBindingEntity } from '../../../src/store/entities/data-key.ts';
import { InstanceEntity } from '../../../src/store/entities/instance.ts';
import { OrganizationEntity } from '../../../src/store/entities/organization.ts';
import type { RedisContainer } from '../../support/redis-container.ts';
import { addInstance, addKey, type Client, openClient } from './door.ts';
import { type DoorKey, openRealDoor, signUp, startInstanceRedis } from './real-door.ts';

let redis: RedisContainer;
test.before(async () => {
  redis = await startInstanceRedis();
});
test.after.always(async () => await redis?.remove());

const wrongPass = /^-WRONGPASS invalid username-password pair or user is disabled\.$/;
const noPerm = /^-NOPERM /;

type KeyChanges = Parameters<EntityManager['nativeUpdate']>[2];

/** Another key of the instance, changed like this, known to Redis with its permissions. */
async function addChangedKey(
  orm: Orm,
  instanceId: string,
  changes: KeyChanges = {},
  permissions: readonly ('read' | 'write')[] = ['read', 'write'],
): Promise<DoorKey> {
  const key = await addKey(orm, [instanceId]);
  const row = { permissions: [...permissions], ...changes };
  await orm.em.fork().nativeUpdate(DataKeyEntity, { id: key.keyId }, row);
  await signUp(redis, key, permissions);
  return key;
}

/** What is answered to a sign-in, and to a command behind it. */
async function ask(
  t: ExecutionContext,
  port: number,
  credentials: readonly string[],
  command: string,
): Promise<{ signIn: string; reply: string; client: Client }> {
  const client = await openClient(t, port);
  client.send(`AUTH ${credentials.join(' ')}\r\n${command}\r\n`);
  return { signIn: await client.readLine(), reply: await client.readLine(), client };
}

test.serial('what a key may do over TCP, case by case', async (t) => {
  const { orm, edge, port, instanceId, keyId, secret } = await openRealDoor(t, redis);
  const own = { keyId, secret };
  const foreign = await addInstance(orm, { port: redis.port + 1 });
  const foreignOrganization = { id: newId('org'), name: 'other', createdAt: new Date() };
  await orm.em.fork().insert(OrganizationEntity, foreignOrganization);
  const toForeign = { organizationId: foreignOrganization.id };
  await orm.em.fork().nativeUpdate(InstanceEntity, { id: foreign }, toForeign);
  const readOnly = await addChangedKey(orm, instanceId, {}, ['read']);
  const expired = await addChangedKey(orm, instanceId, { expiresAt: new Date(Date.now() - 1) });
  const here = await addChangedKey(orm, instanceId, { ipWhitelist: ['127.0.0.0/8', '::1/128'] });
  const elsewhere = await addChangedKey(orm, instanceId, { ipWhitelist: ['192.0.2.0/24'] });
  const deleted = await addChangedKey(orm, instanceId);
  const unbound = await addChangedKey(orm, instanceId);
  const unknownToRedis = await addKey(orm, [instanceId]);
  const em = orm.em.fork();
  const gone = { keyId: { $in: [deleted.keyId, unbound.keyId] } };
  await em.nativeDelete(KeyBindingEntity, gone);
  await em.nativeDelete(DataKeyEntity, { id: deleted.keyId });
  for (const key of [deleted, unbound]) edge.dropKey(key.keyId);
  const never = `sc_live_${'0'.repeat(32)}`;
  const noAuth = /^-NOAUTH Authentication required\.$/;
  const cases: [string, string[], RegExp, string, RegExp][] = [
    ['a key writes', [own.secret], /^\+OK$/, 'SET k v', /^\+OK$/],
    ['by its id', [own.keyId, own.secret], /^\+OK$/, 'SET k v', /^\+OK$/],
    ["by its instance's", [instanceId, own.secret], /^\+OK$/, 'SET k v', /^\+OK$/],
    ['a read-only key reads', [readOnly.secret], /^\+OK$/, 'STRLEN k', /^:1$/],
    ['a read-only key does not write', [readOnly.secret], /^\+OK$/, 'SET k w', noPerm],
    ['nor by a script', [readOnly.secret], /^\+OK$/, 'EVAL "return 1" 0', noPerm],
    ['nobody watches others', [own.secret], /^\+OK$/, 'MONITOR', noPerm],
    ['nobody lists clients', [own.secret], /^\+OK$/, 'CLIENT LIST', noPerm],
    ['nobody drops clients', [own.secret], /^\+OK$/, 'CLIENT KILL ID 1', noPerm],
    ['nobody reads the configuration', [own.secret], /^\+OK$/, 'CONFIG GET *', noPerm],
    ['an expired key', [expired.secret], wrongPass, 'GET k', noAuth],
    ['a deleted key', [deleted.secret], wrongPass, 'GET k', noAuth],
    ['a key that was never one', [never], wrongPass, 'GET k', noAuth],
    ['an empty key', ['""'], wrongPass, 'GET k', noAuth],
    ['an account key', [`sk_live_${'0'.repeat(32)}`], wrongPass, 'GET k', noAuth],
    [
      'a key that was taken off',
      [unbound.secret],
      /^-ERR this key opens no instance/,
      'GET k',
      noAuth,
    ],
    ["another organization's instance", [foreign, own.secret], wrongPass, 'GET k', noAuth],
    ['an instance that is not there', [newId('inst'), own.secret], wrongPass, 'GET k', noAuth],
    ["another key's name", [readOnly.keyId, own.secret], wrongPass, 'GET k', noAuth],
    ["the platform's user", ['swiftcache', own.secret], wrongPass, 'GET k', noAuth],
    ['a key that Redis does not know', [unknownToRedis.secret], wrongPass, 'GET k', noAuth],
    ['from an address of its list', [here.secret], /^\+OK$/, 'STRLEN k', /^:1$/],
    ['from another', [elsewhere.secret], /^-NOPERM .*127\.0\.0\.1$/, 'GET k', noAuth],
  ];
  for (const [what, credentials, signIn, command, expected] of cases) {
    const answer = await ask(t, port, credentials, command);
    t.regex(answer.signIn, signIn, what);
    t.regex(answer.reply, expected, what);
    answer.client.socket.destroy();
  }
});

test.serial('a key that is deleted ends its connections, and no other', async (t) => {
  const { orm, edge, port, instanceId, secret } = await openRealDoor(t, redis);
  const deleted = await addChangedKey(orm, instanceId);
  const gone = await ask(t, port, [deleted.secret], 'PING');
  const waiting = await ask(t, port, [deleted.secret], 'PING');
  const stays = await ask(t, port, [secret], 'PING');
  waiting.client.send('BLPOP nothing 0\r\n');
  const em = orm.em.fork();
  await em.nativeDelete(KeyBindingEntity, { keyId: deleted.keyId });
  await em.nativeDelete(DataKeyEntity, { id: deleted.keyId });
  const startedMs = performance.now();
  edge.dropKey(deleted.keyId);
  t.is(await gone.client.readToEnd(), '');
  t.is(await waiting.client.readToEnd(), '');
  t.true(performance.now() - startedMs < 1_000);
  stays.client.send('PING\r\n');
  t.is(await stays.client.readLine(), '+PONG');
  t.regex((await ask(t, port, [deleted.secret], 'PING')).signIn, wrongPass);
});

test.serial('a key that Redis forgets ends its connections by itself', async (t) => {
  const { orm, port, instanceId } = await openRealDoor(t, redis);
  const key = await addChangedKey(orm, instanceId);
  const open = await ask(t, port, [key.secret], 'PING');
  await redis.deleteUser(key.keyId);
  t.is(await open.client.readToEnd(), '');
});

test.serial('an instance that ends takes the connections to it along, and no other', async (t) => {
  const { orm, edge, port, instanceId, keyId, secret } = await openRealDoor(t, redis);
  const other = await addInstance(orm, { port: redis.port + 1 });
  await orm.em.fork().nativeUpdate(InstanceEntity, { id: other }, { region: other });
  await orm.em.fork().nativeUpdate(InstanceEntity, { id: other }, { nodePort: redis.port });
  const em = orm.em.fork() as unknown as EntityManager;
  bindKey(em, other, keyId, new Date());
  await em.flush();
  const ended = await ask(t, port, [instanceId, secret], 'PING');
  const stays = await ask(t, port, [other, secret], 'PING');
  edge.dropInstance(instanceId);
  t.is(await ended.client.readToEnd(), '');
  stays.client.send('PING\r\n');
  t.is(await stays.client.readLine(), '+PONG');
});
