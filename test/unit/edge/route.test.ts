import test from 'ava';
import { findRoute } from '../../../src/edge/route.ts';
import { createPrincipalCache } from '../../../src/keys/principal-cache.ts';
import { createPrincipalFinder } from '../../../src/keys/principals.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { newId } from '../../../src/lib/ids.ts';
import { DataKeyEntity } from '../../../src/store/entities/data-key.ts';
import type { InstanceStatus } from '../../../src/store/entities/instance.ts';
import { InstanceEntity } from '../../../src/store/entities/instance.ts';
import { addInstance, addKey, openStore } from './door.ts';

async function prepare(t: Parameters<typeof openStore>[0]) {
  const orm = await openStore(t);
  const [first, second, foreign] = [
    await addInstance(orm, { port: 7001 }),
    await addInstance(orm, { port: 7002 }),
    await addInstance(orm, { port: 7003 }),
  ];
  const one = await addKey(orm, [first]);
  const two = await addKey(orm, [first, second]);
  const principals = createPrincipalCache({
    findPrincipal: createPrincipalFinder(orm, systemClock),
    clock: systemClock,
  });
  const route = async (
    user: string | undefined,
    secret: string,
    address = '127.0.0.1',
    serverName?: string,
  ): Promise<string> => {
    const found = await findRoute({ principals }, { user, secret, address, serverName });
    return 'code' in found ? `${found.code} ${found.message}` : `${found.host}:${found.port}`;
  };
  return { orm, first, second, foreign, one, two, principals, route };
}

const wrongPass = 'WRONGPASS invalid username-password pair or user is disabled.';

test('a key of one instance opens it without a user name, as default, by its ids', async (t) => {
  const { first, one, route } = await prepare(t);
  for (const user of [undefined, '', 'default', one.keyId, first]) {
    t.is(await route(user, one.secret), '127.0.0.1:7001', `${user}`);
  }
});

test('a key of several instances opens the one that the user name says', async (t) => {
  const { first, second, two, route } = await prepare(t);
  t.is(await route(first, two.secret), '127.0.0.1:7001');
  t.is(await route(second, two.secret), '127.0.0.1:7002');
});

test('a key of several instances is told how to name one when it names none', async (t) => {
  const { first, second, two, route } = await prepare(t);
  const [low] = [first, second].sort();
  for (const user of [undefined, '', 'default', two.keyId]) {
    const told = await route(user, two.secret);
    t.true(told.startsWith('ERR this key opens several instances: sign in as user inst_… '), told);
    t.true(told.includes(`(redis://${low}:KEY@host:port)`), told);
    t.true(told.includes(first) && told.includes(second), told);
  }
});

test('where instances have names, the one to send over TLS is told as well', async (t) => {
  const { principals, first, second, two } = await prepare(t);
  const deps = { principals, domain: 'example.com' };
  const address = '127.0.0.1';
  const credentials = { user: undefined, secret: two.secret, address, serverName: undefined };
  const told = await findRoute(deps, credentials);
  const [low = ''] = [first, second].sort();
  const name = `${low.replace('_', '-')}.redis.example.com`;
  t.true('message' in told && told.message.includes(`or over TLS with the server name ${name}. `));
});

test('a TLS server name chooses among the instances of a key, whatever user stands beside it', async (t) => {
  const { first, second, one, two, route } = await prepare(t);
  for (const user of [undefined, '', 'default', two.keyId, second]) {
    t.is(await route(user, two.secret, '127.0.0.1', second), '127.0.0.1:7002', user);
  }
  t.is(await route(undefined, one.secret, '127.0.0.1', first), '127.0.0.1:7001');
});

test('a server name that the key does not open is a WRONGPASS, and so are two names for one place', async (t) => {
  const { first, second, foreign, one, two, route } = await prepare(t);
  for (const name of [second, foreign, newId('inst')]) {
    t.is(await route(undefined, one.secret, '127.0.0.1', name), wrongPass, name);
    t.is(await route(first, one.secret, '127.0.0.1', name), wrongPass, name);
  }
  t.is(await route(first, two.secret, '127.0.0.1', second), wrongPass);
  t.is(await route(foreign, two.secret, '127.0.0.1', second), wrongPass);
});

test('a wrong key and a wrong user are the same WRONGPASS, whatever was wrong', async (t) => {
  const { foreign, one, two, route } = await prepare(t);
  for (const user of [foreign, newId('inst'), two.keyId, newId('key'), 'admin', 'swiftcache']) {
    t.is(await route(user, one.secret), wrongPass, user);
  }
  for (const secret of ['', 'x', `sc_live_${'0'.repeat(32)}`, `sk_live_${'0'.repeat(32)}`]) {
    t.is(await route(undefined, secret), wrongPass, secret);
    t.is(await route(foreign, secret), wrongPass, secret);
  }
});

const states: readonly [InstanceStatus, RegExp][] = [
  ['PROVISIONING', /^LOADING SwiftCache is preparing instance inst_\w+ \(PROVISIONING\)$/],
  ['FAILED', /^ERR instance inst_\w+ is FAILED$/],
  ['DELETING', /^ERR instance inst_\w+ is DELETING$/],
];

for (const [status, expected] of states) {
  test(`an instance that is ${status} is not opened and says so`, async (t) => {
    const { orm, route } = await prepare(t);
    const { secret } = await addKey(orm, [await addInstance(orm, { port: 7009, status })]);
    t.regex(await route(undefined, secret), expected);
  });
}

test('an instance without an address is to be tried again, not an error of the door', async (t) => {
  const { orm, route } = await prepare(t);
  const { secret } = await addKey(orm, [await addInstance(orm, { port: null })]);
  t.regex(await route(undefined, secret), /^LOADING instance inst_\w+ does not answer/);
});

test('an instance that its owner deleted is out of the count once that is told', async (t) => {
  const { orm, first, second, two, principals, route } = await prepare(t);
  await orm.em.fork().nativeUpdate(InstanceEntity, { id: first }, { desired: 'absent' });
  principals.dropInstance(first);
  t.is(await route(undefined, two.secret), '127.0.0.1:7002');
  t.is(await route(first, two.secret), wrongPass);
  await orm.em.fork().nativeUpdate(InstanceEntity, { id: second }, { desired: 'absent' });
  principals.dropInstance(second);
  t.regex(await route(undefined, two.secret), /^ERR this key opens no instance/);
});

test('a key that names addresses is used from there only, and the answer says from where', async (t) => {
  const { orm, first, one, route } = await prepare(t);
  const changes = { ipWhitelist: ['192.0.2.0/24'] };
  await orm.em.fork().nativeUpdate(DataKeyEntity, { id: one.keyId }, changes);
  t.is(await route(first, one.secret, '192.0.2.9'), '127.0.0.1:7001');
  t.is(await route(first, one.secret, '::ffff:192.0.2.9'), '127.0.0.1:7001');
  t.is(
    await route(first, one.secret, '198.51.100.1'),
    'NOPERM this key may not be used from the address 198.51.100.1',
  );
  t.is(await route(undefined, `sc_live_${'0'.repeat(32)}`, '198.51.100.1'), wrongPass);
});

test('a key that has expired is a wrong one', async (t) => {
  const { orm, one, route } = await prepare(t);
  const changes = { expiresAt: new Date(Date.now() - 1) };
  await orm.em.fork().nativeUpdate(DataKeyEntity, { id: one.keyId }, changes);
  t.is(await route(undefined, one.secret), wrongPass);
});

test('what was found before a key was dropped is looked for again', async (t) => {
  const { orm, one } = await prepare(t);
  const find = createPrincipalFinder(orm, systemClock);
  let asked = 0;
  const principals = createPrincipalCache({
    async findPrincipal(hash) {
      const found = await find(hash);
      asked += 1;
      // Told between the look-up and its use, once.
      if (asked === 1) {
        await orm.em.fork().nativeDelete(DataKeyEntity, { id: one.keyId });
        principals.dropKey(one.keyId);
      }
      return found;
    },
    clock: systemClock,
  });
  const credentials = {
    user: undefined,
    secret: one.secret,
    address: '127.0.0.1',
    serverName: undefined,
  };
  t.like(await findRoute({ principals }, credentials), { code: 'WRONGPASS' });
  t.is(asked, 2);
});

test('clients that come at once with one key are one question', async (t) => {
  const { orm, one } = await prepare(t);
  const find = createPrincipalFinder(orm, systemClock);
  let asked = 0;
  const findPrincipal = async (hash: string) => {
    asked += 1;
    return await find(hash);
  };
  const principals = createPrincipalCache({ findPrincipal, clock: systemClock });
  const credentials = {
    user: undefined,
    secret: one.secret,
    address: '127.0.0.1',
    serverName: undefined,
  };
  const routes = Array.from({ length: 500 }, () => findRoute({ principals }, credentials));
  for (const route of await Promise.all(routes)) t.like(route, { port: 7001 });
  t.is(asked, 1);
});
