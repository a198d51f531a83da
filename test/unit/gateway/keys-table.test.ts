/** Keys over HTTP: one table of who may do what, and the rates of keys and plans. */
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { createDataSecret } from '../../../src/keys/format.ts';
import { newId } from '../../../src/lib/ids.ts';
import { DataKeyEntity, KeyBindingEntity } from '../../../src/store/entities/data-key.ts';
import { OrganizationEntity } from '../../../src/store/entities/organization.ts';
import { type RedisContainer, startRedisContainer } from '../../support/redis-container.ts';
import {
  type Answer,
  addInstance,
  type Bound,
  call,
  type Harness,
  signUp,
  startHarness,
} from './harness.ts';

let redis: RedisContainer;
test.before(async () => {
  redis = await startRedisContainer();
});
test.after.always(async () => await redis?.remove());

interface KeyChanges {
  readonly permissions?: ('read' | 'write')[];
  readonly ipWhitelist?: string[];
  readonly rateLimit?: number;
  readonly expiresAt?: Date;
}

/** Another key of the same organization that opens the instance, known to Redis. */
async function addKey({ orm }: Harness, bound: Bound, changes: KeyChanges = {}): Promise<Bound> {
  const em = orm.em.fork();
  const { secret, hash } = createDataSecret();
  const key = em.create(DataKeyEntity, {
    id: newId('key'),
    organizationId: bound.key.organizationId,
    name: 'another',
    secretHash: hash,
    permissions: ['read', 'write'],
    ipWhitelist: [],
    rateLimit: 1000,
    createdAt: new Date(),
    ...changes,
  });
  await em.flush();
  const { instanceId } = bound;
  em.create(KeyBindingEntity, { instanceId, keyId: key.id, createdAt: new Date() });
  await em.flush();
  const added = { instanceId, key, secret };
  await signUp(redis, added);
  return added;
}

async function startTable(t: Parameters<typeof startHarness>[0], proxyHops = 0) {
  const harness = await startHarness(t, {}, { proxyHops });
  const bound = await addInstance(harness, { port: redis.port });
  await signUp(redis, bound);
  return { harness, bound };
}

const from = (address: string): RequestInit => ({ headers: { 'X-Forwarded-For': address } });

test.serial('what a key may do over HTTP, case by case', async (t) => {
  const { harness, bound } = await startTable(t, 1);
  const { orm, gateway } = harness;
  const foreign = await addInstance(harness, { port: redis.port });
  await signUp(redis, foreign);
  const readOnly = await addKey(harness, bound, { permissions: ['read'] });
  const expired = await addKey(harness, bound, { expiresAt: new Date(Date.now() - 1) });
  const somewhere = await addKey(harness, bound, {
    ipWhitelist: ['192.0.2.0/24', '2001:db8::/32'],
  });
  const deleted = await addKey(harness, bound);
  const unbound = await addKey(harness, bound);
  t.is((await call(harness, deleted, '/ping')).status, 200);
  const em = orm.em.fork();
  await em.nativeDelete(KeyBindingEntity, { keyId: { $in: [deleted.key.id, unbound.key.id] } });
  await em.nativeDelete(DataKeyEntity, { id: deleted.key.id });
  gateway.dropKey(deleted.key.id);
  const invalid = 'Invalid authentication token';
  const notFound = 'Redis instance not found';
  const elsewhere = { ...bound, instanceId: foreign.instanceId };
  const never = { ...bound, instanceId: newId('inst') };
  const cases: [string, Bound, string, RequestInit, number, unknown][] = [
    ['a key writes', bound, '/set/k/v', {}, 200, { result: 'OK' }],
    ['a read-only key reads', readOnly, '/get/k', {}, 200, { result: 'v' }],
    ['a read-only key does not write', readOnly, '/set/k/w', {}, 400, /^NOPERM /],
    ['nor by a script', readOnly, "/eval/return redis.call('del','k')/0", {}, 400, /^NOPERM /],
    ['an expired key', expired, '/get/k', {}, 401, invalid],
    ['a deleted key', deleted, '/get/k', {}, 401, invalid],
    ['a key that was never one', { ...bound, secret: 'sc_live_0' }, '/get/k', {}, 401, invalid],
    ['a key that was taken off', unbound, '/get/k', {}, 404, notFound],
    ["another organization's instance", elsewhere, '/get/k', {}, 404, notFound],
    ['an instance that is not there', never, '/get/k', {}, 404, notFound],
    ['from an address of its list', somewhere, '/get/k', from('192.0.2.7'), 200, { result: 'v' }],
    ['from one of its IPv6 range', somewhere, '/get/k', from('2001:db8::7'), 200, { result: 'v' }],
    [
      'from another',
      somewhere,
      '/get/k',
      from('198.51.100.1'),
      403,
      /from the address 198.51.100.1$/,
    ],
    [
      'from one that was made up',
      somewhere,
      '/get/k',
      from('192.0.2.7, 198.51.100.1'),
      403,
      /198.51/,
    ],
    ['past the proxy', somewhere, '/get/k', {}, 403, /from the address (::ffff:)?127.0.0.1$/],
  ];
  for (const [what, who, path, init, status, expected] of cases) {
    const answer = await call(harness, who, path, init);
    t.is(answer.status, status, `${what}: ${answer.text}`);
    if (expected instanceof RegExp) t.regex(answer.json.error, expected, what);
    else if (typeof expected === 'string') t.deepEqual(answer.json, { error: expected }, what);
    else t.deepEqual(answer.json, expected, what);
  }
  const [one, other] = [elsewhere, never].map((who) => call(harness, who, '/get/k'));
  t.is((await one)?.text, (await other)?.text);
});

test.serial('without a trusted proxy nobody says where they come from', async (t) => {
  const { harness, bound } = await startTable(t);
  const key = await addKey(harness, bound, { ipWhitelist: ['192.0.2.0/24'] });
  t.is((await call(harness, key, '/ping', from('192.0.2.7'))).status, 403);
});

const second = (): number => Math.floor(performance.now() / 1_000);

/** Does something within one second of the gateway's clock; again where this machine stood still meanwhile. */
async function inOneSecond<T>(run: () => Promise<T>): Promise<T> {
  for (;;) {
    await sleep(1_000 - (performance.now() % 1_000) + 5);
    const begun = second();
    const done = await run();
    if (second() === begun) return done;
  }
}

function countByStatus(answers: readonly Answer[]): Record<number, number> {
  const groups = Map.groupBy(answers, ({ status }) => status);
  return Object.fromEntries([...groups].map(([status, { length }]) => [status, length]));
}

test.serial('a key over its rate is told so, and when to come back', async (t) => {
  const { harness, bound } = await startTable(t);
  const key = await addKey(harness, bound, { rateLimit: 5 });
  const begun = second();
  const asking = Array.from({ length: 40 }, () => call(harness, key, '/ping'));
  const answers = await Promise.all(asking);
  const seconds = second() - begun + 1;
  const counts = countByStatus(answers);
  t.true((counts[200] ?? 0) >= 5 && (counts[200] ?? 0) <= 5 * seconds, JSON.stringify(counts));
  t.is((counts[200] ?? 0) + (counts[429] ?? 0), 40);
  for (const { status, headers, json } of answers) {
    t.is(headers.get('RateLimit-Policy'), '"key";q=5;w=1');
    t.regex(headers.get('RateLimit') ?? '', /^"key";r=[0-5];t=1$/);
    t.is(headers.get('Retry-After'), status === 429 ? '1' : null);
    if (status === 429) t.deepEqual(json, { error: 'This key allows 5 commands a second' });
  }
  // Another key of the instance has nothing to do with it.
  const other = await call(harness, bound, '/ping');
  t.is(other.status, 200);
  t.is(other.headers.get('RateLimit'), null);
});

test.serial(
  'commands of a pipeline count one by one, and a large one passes in a fresh second',
  async (t) => {
    const { harness, bound } = await startTable(t);
    const key = await addKey(harness, bound, { rateLimit: 10 });
    const send = (count: number, path = '/pipeline'): Promise<Answer> => {
      const body = JSON.stringify(Array.from({ length: count }, () => ['PING']));
      return call(harness, key, path, { method: 'POST', body });
    };
    await send(1);
    const large = [() => send(100), () => send(1, '/multi-exec')];
    t.deepEqual(await inOneSecond(() => sendAll(large)), [200, 429]);
    const mixed = [() => send(6), () => send(6, '/multi-exec'), () => send(4, '/multi-exec')];
    t.deepEqual(await inOneSecond(() => sendAll(mixed)), [200, 429, 200]);
  },
);

async function sendAll(requests: readonly (() => Promise<Answer>)[]): Promise<number[]> {
  const statuses: number[] = [];
  for (const send of requests) statuses.push((await send()).status);
  return statuses;
}

test.serial(
  'the rate of a plan holds over all keys and is looked up within a second',
  async (t) => {
    const { harness, bound } = await startTable(t);
    const other = await addKey(harness, bound);
    const { organizationId } = bound.key;
    const plan = { plan: 'free' };
    await harness.orm.em.fork().nativeUpdate(OrganizationEntity, { id: organizationId }, plan);
    const big = (who: Bound): Promise<Answer> => {
      const body = JSON.stringify(Array.from({ length: 600 }, () => ['PING']));
      return call(harness, who, '/pipeline', { method: 'POST', body });
    };
    const [first, refused] = await inOneSecond(
      async () => [await big(bound), await big(other)] as const,
    );
    t.deepEqual([first.status, refused.status], [200, 429]);
    t.is(first.headers.get('RateLimit'), '"plan";r=400;t=1');
    t.deepEqual(refused.json, {
      error: "The plan of this key's organization allows 1000 commands a second",
    });
  },
);
