/** What is known of a key, for how long, and when nothing is awaited. */
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { createAuthorizer, type Grant } from '../../../src/gateway/authorize.ts';
import { splitTarget, type Target } from '../../../src/gateway/parse.ts';
import { createDataSecret } from '../../../src/keys/format.ts';
import { createPrincipalFinder, type KnownPrincipal } from '../../../src/keys/principals.ts';
import { sha256Hex } from '../../../src/lib/crypto.ts';
import { AppError } from '../../../src/lib/errors.ts';
import { OrganizationEntity } from '../../../src/store/entities/organization.ts';
import { createTestClock } from '../../support/clock.ts';
import { openTestDatabase } from '../../support/databases.ts';
import { addInstance } from './harness.ts';

const { secret, hash } = createDataSecret();
const target = splitTarget('/redis/inst_a/get/k') as Target;
const request = { authorization: `Bearer ${secret}`, address: '192.0.2.7' };

function principal(changes: Partial<KnownPrincipal['key']> = {}): KnownPrincipal {
  return {
    key: {
      id: 'key_a',
      organizationId: 'org_a',
      secretHash: hash,
      permissions: ['read'],
      ipWhitelist: [],
      rateLimit: 1000,
      expiresAt: null,
      ...changes,
    },
    instances: [{ id: 'inst_a', status: 'RUNNING', nodeHost: '127.0.0.1', nodePort: 1 }],
    requestsPerSecond: 10,
    connectionsMax: 10,
  };
}

function setUp(changes: Partial<KnownPrincipal['key']> = {}) {
  const clock = createTestClock();
  const asked: string[] = [];
  let known: KnownPrincipal | undefined = principal(changes);
  const findPrincipal = async (secretHash: string) => {
    asked.push(secretHash);
    return secretHash === hash ? known : undefined;
  };
  const authorizer = createAuthorizer({ findPrincipal, clock });
  const authorize = (address = request.address) =>
    authorizer.authorize(target, { ...request, address });
  return { authorizer, authorize, asked, clock, forget: () => (known = undefined) };
}

test('a key is looked up by its hash, once for all who ask at once', async (t) => {
  const { authorize, asked } = setUp();
  const grants = await Promise.all(Array.from({ length: 200 }, () => authorize()));
  t.deepEqual(asked, [sha256Hex(secret)]);
  for (const grant of grants)
    t.like(grant, { secret, requestsPerSecond: 10, key: { id: 'key_a' } });
});

test('while the answer is fresh it is given at once, and nobody is asked', async (t) => {
  const { authorize, asked } = setUp();
  await authorize();
  const grant = authorize();
  t.false(grant instanceof Promise);
  t.is((grant as Grant).instance.id, 'inst_a');
  t.is(asked.length, 1);
});

test('an answer is used for a second at most', async (t) => {
  const { authorize, asked, forget } = setUp();
  await authorize();
  forget();
  await sleep(1_001);
  await t.throwsAsync(async () => await authorize(), { message: 'Invalid authentication token' });
  t.is(asked.length, 2);
});

test('a key in use is asked for again before its answer is old: nobody waits for it', async (t) => {
  const { authorize, asked } = setUp();
  await authorize();
  // On a machine that was busy just then the answer is old by now: another try.
  for (let tries = 0; tries < 10; tries += 1) {
    const askedBefore = asked.length;
    const begunMs = performance.now();
    await sleep(600);
    const grant = authorize();
    const tookMs = performance.now() - begunMs;
    t.is(asked.length, askedBefore + 1);
    if (grant instanceof Promise) await grant;
    else {
      t.true(tookMs < 1_000);
      t.false(authorize() instanceof Promise);
      t.is(asked.length, askedBefore + 1);
      return;
    }
  }
  t.fail('every answer was waited for');
});

test('a key in use that is gone is refused as soon as it was asked for again', async (t) => {
  const { authorize, asked, forget } = setUp();
  await authorize();
  forget();
  await t.throwsAsync(
    async () => {
      for (;;) {
        await authorize();
        await sleep(20);
      }
    },
    { instanceOf: AppError, message: 'Invalid authentication token' },
  );
  t.true(asked.length <= 3);
});

test('a key expires at its time, however fresh the answer is', async (t) => {
  const { authorize, clock } = setUp({ expiresAt: new Date('2024-01-15T10:30:00.500Z') });
  await authorize();
  clock.advance(499);
  t.false(authorize() instanceof Promise);
  clock.advance(1);
  await t.throwsAsync(async () => await authorize(), { message: 'Invalid authentication token' });
});

test('what was dropped is asked for again, also where the question was under way', async (t) => {
  const { authorizer, authorize, asked } = setUp();
  await authorize();
  authorizer.dropKey('key_other');
  authorizer.dropInstance('inst_other');
  t.false(authorize() instanceof Promise);
  authorizer.dropInstance('inst_a');
  const underWay = authorize();
  authorizer.dropKey('key_a');
  await underWay;
  await authorize();
  t.is(asked.length, 3);
});

test('what a question found that a drop came during is not used', async (t) => {
  const { authorizer, authorize, forget } = setUp();
  const underWay = authorize();
  forget();
  authorizer.dropKey('key_a');
  await t.throwsAsync(async () => await underWay, { message: 'Invalid authentication token' });
});

test('an address that was allowed makes no other allowed', async (t) => {
  const { authorize } = setUp({ ipWhitelist: ['192.0.2.0/24'] });
  await authorize('192.0.2.1');
  t.false(authorize('192.0.2.1') instanceof Promise);
  for (const address of ['198.51.100.1', '', '192.0.2.1, 198.51.100.1']) {
    t.throws(() => authorize(address), { instanceOf: AppError, message: /may not be used from/ });
  }
  t.false(authorize('::ffff:192.0.2.9') instanceof Promise);
});

test('what is no key is not looked up, however it is written', async (t) => {
  const { authorizer, asked } = setUp();
  const wrong = ['Bearer x', `Basic ${secret}`, `Bearer ${secret} ${secret}`, `Bearer\t${secret}`];
  for (const authorization of [...wrong, 'Bearer', 'Bearer ', `bearer${secret}`]) {
    const asking = async () => await authorizer.authorize(target, { ...request, authorization });
    await t.throwsAsync(asking, { message: 'Invalid authentication token' }, authorization);
  }
  t.deepEqual(asked, []);
  for (const authorization of [`bearer ${secret}`, `Bearer   ${secret}  `, `BEARER ${secret}`]) {
    await t.notThrowsAsync(
      async () => await authorizer.authorize(target, { ...request, authorization }),
    );
  }
});

test('the database tells a key with the rate of its plan, and no more of an instance than needed', async (t) => {
  const orm = await openTestDatabase(t);
  const { key, instanceId, secret: known } = await addInstance({ orm });
  const find = createPrincipalFinder(orm, { now: () => new Date() });
  const found = await find(sha256Hex(known));
  t.is(found?.requestsPerSecond, 100_000);
  t.deepEqual(found?.instances, [
    { id: instanceId, status: 'RUNNING', nodeHost: '127.0.0.1', nodePort: 1 },
  ]);
  t.deepEqual(structuredClone(found), found);
  const { organizationId: id } = key;
  await orm.em.fork().nativeUpdate(OrganizationEntity, { id }, { plan: 'no longer in plans.json' });
  t.is((await find(sha256Hex(known)))?.requestsPerSecond, 1_000);
  t.is(await find(hash), undefined);
});
