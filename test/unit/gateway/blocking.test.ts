/** Commands that wait: what is sent of them, and how they end, with a real Redis. */
import test from 'ava';
import { boundWait, runBlocking } from '../../../src/gateway/blocking.ts';
import type { Command } from '../../../src/gateway/parse.ts';
import { defaultLinkBounds } from '../../../src/gateway/redis/bounds.ts';
import { createLinks } from '../../../src/gateway/redis/links.ts';
import { sha256Hex } from '../../../src/lib/crypto.ts';
import { newId } from '../../../src/lib/ids.ts';
import { pollUntil } from '../../../src/lib/retry.ts';
import { type RedisContainer, startRedisContainer } from '../../support/redis-container.ts';
import { grantFor } from './fake-redis.ts';
import { call, countConnections, post, startWorld } from './harness.ts';

const patience = { timeoutMs: 30_000, intervalMs: 10 };
const never = new AbortController().signal;
let redis: RedisContainer;
test.before(async () => {
  redis = await startRedisContainer();
});
test.after.always(async () => await redis?.remove());

function words(text: string): Command {
  const [name = '', ...args] = text.split(' ');
  return { name, args };
}

const bounded: readonly [sent: string, got: string][] = [
  ['BLPOP a b 0', 'BLPOP a b 55'],
  ['BLPOP a 56', 'BLPOP a 55'],
  ['BLPOP a 55', 'BLPOP a 55'],
  ['BRPOP a 0.5', 'BRPOP a 0.5'],
  ['BRPOP a 0.0', 'BRPOP a 55'],
  ['BRPOPLPUSH a b 1e3', 'BRPOPLPUSH a b 55'],
  ['BLMOVE a b LEFT RIGHT 0', 'BLMOVE a b LEFT RIGHT 55'],
  ['BZPOPMIN a 600', 'BZPOPMIN a 55'],
  ['BZPOPMAX a 0', 'BZPOPMAX a 55'],
  ['BLMPOP 0 1 a LEFT', 'BLMPOP 55 1 a LEFT'],
  ['BZMPOP 100 1 a MIN', 'BZMPOP 55 1 a MIN'],
  ['XREAD BLOCK 0 STREAMS s $', 'XREAD BLOCK 55000 STREAMS s $'],
  ['XREAD COUNT 2 block 99999 STREAMS BLOCK 0', 'XREAD COUNT 2 block 55000 STREAMS BLOCK 0'],
  [
    'XREADGROUP GROUP BLOCK 0 BLOCK 0 STREAMS s >',
    'XREADGROUP GROUP BLOCK 0 BLOCK 55000 STREAMS s >',
  ],
  ['XREAD BLOCK 10 STREAMS s $', 'XREAD BLOCK 10 STREAMS s $'],
  // Redis has its own words for these.
  ['BLPOP a -1', 'BLPOP a -1'],
  ['BLPOP a soon', 'BLPOP a soon'],
  ['BLPOP', 'BLPOP'],
  ['BLPOP a ', 'BLPOP a '],
  ['XREAD BLOCK', 'XREAD BLOCK'],
  ['GET 0', 'GET 0'],
];

for (const [sent, got] of bounded) {
  test(`"${sent}" is sent as "${got}"`, (t) => {
    t.deepEqual(boundWait(words(sent), 55_000), words(got));
  });
}

/** Links to the Redis and a user of it, without the rest of a gateway. */
async function startLinks(t: { teardown(action: () => void): void }) {
  const links = createLinks(defaultLinkBounds);
  t.teardown(() => links.close());
  const grant = grantFor(redis.port, newId('key'), newId('inst'));
  const { id: name, permissions } = grant.key;
  await redis.setUser({ name, passwordHash: sha256Hex(grant.secret), permissions });
  const run = (text: string, { protocol = 2, signal = never, boundMs = 60_000 }: RunOptions = {}) =>
    runBlocking(links, grant, protocol, words(text), signal, boundMs);
  const waiting = async (count: number): Promise<true> =>
    await pollUntil(async () => {
      const list = String(await redis.admin.call('CLIENT', 'LIST')).split('\n');
      const own = list.filter((line) => line.includes(`user=${name} `) && / flags=\S*b/.test(line));
      return own.length === count || undefined;
    }, patience);
  return { links, run, waiting, key: name };
}

interface RunOptions {
  readonly protocol?: 2 | 3;
  readonly signal?: AbortSignal;
  readonly boundMs?: number;
}

test.serial(
  'a command whose time is over has the answer that Redis gives, in both protocols',
  async (t) => {
    const { run } = await startLinks(t);
    const boundMs = 100;
    const ask = async (text: string, protocol: 2 | 3): Promise<string> =>
      String(await run(text, { protocol, boundMs }));
    t.is(await ask('BLPOP none 0', 2), '*-1\r\n');
    t.is(await ask('BLPOP none 0', 3), '_\r\n');
    t.is(await ask('BLMOVE none other LEFT LEFT 0', 2), '*-1\r\n');
    t.is(await ask('BRPOPLPUSH none other 300', 2), '*-1\r\n');
    t.is(await ask('XREAD BLOCK 0 STREAMS none $', 2), '*-1\r\n');
    t.is(await ask('BLMPOP 0 1 none LEFT', 2), '*-1\r\n');
  },
);

test.serial('errors of Redis are given as it says them', async (t) => {
  const { run } = await startLinks(t);
  t.is(String(await run('BLPOP none soon')), '-ERR timeout is not a float or out of range\r\n');
  t.is(String(await run('BLPOP none -1')), '-ERR timeout is negative\r\n');
});

test.serial('who goes away while waiting takes nothing', async (t) => {
  const { run, waiting, key } = await startLinks(t);
  const leaving = new AbortController();
  const list = `${key}:left`;
  const answer = run(`BLPOP ${list} 0`, { signal: leaving.signal });
  await waiting(1);
  leaving.abort();
  await t.throwsAsync(answer, { message: 'The request was given up' });
  await waiting(0);
  t.is(await redis.admin.rpush(list, 'x'), 1);
  t.is(await redis.admin.llen(list), 1);
});

test.serial('who has gone before the command is sent takes nothing', async (t) => {
  const { run, key } = await startLinks(t);
  const list = `${key}:gone`;
  await redis.admin.rpush(list, 'x');
  const gone = AbortSignal.abort();
  await t.throwsAsync(run(`BLPOP ${list} 0`, { signal: gone }), {
    message: 'The request was given up',
  });
  t.is(await redis.admin.llen(list), 1);
});

test.serial('a dropped key ends the wait', async (t) => {
  const { links, run, waiting, key } = await startLinks(t);
  const answer = run(`BLPOP ${key}:dropped 0`);
  await waiting(1);
  links.dropWhere(({ keyId }) => keyId === key);
  await t.throwsAsync(answer, { message: 'Redis connection error' });
  await waiting(0);
});

test.serial('over HTTP, what waits is answered by what another request pushes', async (t) => {
  const world = await startWorld(t, redis);
  const list = `${world.instanceId}:list`;
  const answer = call(world, world, `/blpop/${list}/0`);
  await pollUntil(async () => (await countConnections(redis, world)) === 1 || undefined, patience);
  t.is((await post(world, world, ['RPUSH', list, 'a', 'b'])).json.result, 2);
  t.deepEqual((await answer).json, { result: [list, 'a'] });
  t.deepEqual((await post(world, world, ['BLPOP', list, 0])).json, { result: [list, 'b'] });
  t.deepEqual((await post(world, world, ['BLPOP', list, 0.05])).json, { result: null });
  await pollUntil(async () => (await countConnections(redis, world)) === 1 || undefined, patience);
});

test.serial('over HTTP, a waiting client that goes away takes nothing', async (t) => {
  const world = await startWorld(t, redis);
  const list = `${world.instanceId}:list`;
  const leaving = new AbortController();
  const gone = call(world, world, `/blpop/${list}/0`, { signal: leaving.signal });
  const connections = (count: number): Promise<true> =>
    pollUntil(async () => (await countConnections(redis, world)) === count || undefined, patience);
  await connections(1);
  leaving.abort();
  await t.throwsAsync(gone);
  await connections(0);
  await redis.admin.rpush(list, 'kept');
  t.deepEqual((await post(world, world, ['LRANGE', list, 0, -1])).json, { result: ['kept'] });
});

test.serial('the end of the service ends what waits, and says so', async (t) => {
  const world = await startWorld(t, redis);
  const list = `${world.instanceId}:list`;
  const answer = post(world, world, ['BLPOP', list, 0]);
  await pollUntil(async () => (await countConnections(redis, world)) === 1 || undefined, patience);
  await world.gateway.close();
  t.is((await answer).status, 503);
  await redis.admin.rpush(list, 'kept');
  t.is(await redis.admin.llen(list), 1);
});

test.serial(
  'many wait at once, each on a connection of its own, and commands go on beside them',
  async (t) => {
    const world = await startWorld(t, redis);
    const lists = Array.from({ length: 20 }, (_, index) => `${world.instanceId}:${index}`);
    const answers = lists.map((list) => post(world, world, ['BLPOP', list, '0']));
    await pollUntil(
      async () => (await countConnections(redis, world)) === 20 || undefined,
      patience,
    );
    t.is((await post(world, world, ['PING'])).json.result, 'PONG');
    for (const list of lists) await redis.admin.rpush(list, `of ${list}`);
    const results = (await Promise.all(answers)).map(({ json }) => json.result);
    t.deepEqual(
      results,
      lists.map((list) => [list, `of ${list}`]),
    );
  },
);
