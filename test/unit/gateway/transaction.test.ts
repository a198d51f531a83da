import test from 'ava';
import { type RedisContainer, startRedisContainer } from '../../support/redis-container.ts';
import { type Answer, call, countConnections, startWorld, type World } from './harness.ts';

let redis: RedisContainer;
test.before(async () => {
  redis = await startRedisContainer();
});
test.after.always(async () => await redis?.remove());

function transact(world: World, commands: unknown, headers = {}): Promise<Answer> {
  const body = JSON.stringify(commands);
  return call(world, world, '/multi-exec', { method: 'POST', body, headers });
}

/** How often Redis has run commands of these names. */
async function countCalls(name: string): Promise<number> {
  const stats = await redis.admin.info('commandstats');
  return Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
}

test.serial('a transaction gives the results of its commands, in order', async (t) => {
  const world = await startWorld(t, redis);
  const commands = [
    ['SET', 'tx:n', 1.0],
    ['INCR', 'tx:n'],
    ['HSET', 'tx:h', 'f', 'v'],
    ['HGETALL', 'tx:h'],
    ['GET', 'tx:none'],
    ['EVAL', 'return {1, ARGV[1]}', 0, 'a'],
  ];
  const answer = await transact(world, commands);
  t.is(answer.status, 200);
  const results = answer.json.map(({ result }: { result: unknown }) => result);
  t.deepEqual(results, ['OK', 2, 1, { f: 'v' }, null, [1, 'a']]);
  const flat = await transact(world, commands.slice(3), { 'Upstash-Encoding': 'base64' });
  t.deepEqual(flat.json, [{ result: ['Zg==', 'dg=='] }, { result: null }, { result: [1, 'YQ=='] }]);
  t.truthy(flat.headers.get('upstash-sync-token'));
  t.is(await countConnections(redis, world), 2);
});

test.serial('an error of one command is that command’s, and the others have run', async (t) => {
  const world = await startWorld(t, redis);
  const { status, json } = await transact(world, [
    ['SET', 'tx:s', 'text'],
    ['INCR', 'tx:s'],
    ['EVAL', "return redis.error_reply('a\\r\\n:1\\r\\n+x')", 0],
    ['APPEND', 'tx:s', '!'],
  ]);
  t.is(status, 200);
  t.deepEqual(json[0], { result: 'OK' });
  t.deepEqual(json[1], { error: 'ERR value is not an integer or out of range' });
  t.regex(json[2].error, /a {2}:1/);
  t.deepEqual(json[3], { result: 5 });
});

test.serial('a transaction that Redis discards is one error, and nothing of it ran', async (t) => {
  const world = await startWorld(t, redis);
  await redis.admin.del('tx:d');
  const { status, json } = await transact(world, [
    ['SET', 'tx:d', '1'],
    ['GET'],
    ['SET', 'tx:d', '2'],
  ]);
  t.is(status, 400);
  t.deepEqual(Object.keys(json), ['error']);
  t.regex(json.error, /^EXECABORT Transaction discarded because of previous errors\. /);
  t.regex(json.error, /\(command 1: ERR wrong number of arguments for 'get' command\)$/);
  t.is(await redis.admin.get('tx:d'), null);
  t.is((await call(world, world, '/ping')).json.result, 'PONG');
});

test.serial('a command that is refused refuses the whole before anything runs', async (t) => {
  const world = await startWorld(t, redis);
  await call(world, world, '/ping');
  await redis.admin.del('tx:r');
  await redis.admin.call('CONFIG', 'RESETSTAT');
  for (const command of [
    ['WATCH', 'k'],
    ['exec'],
    ['MULTI'],
    ['SUBSCRIBE', 'c'],
    ['CLIENT', 'ID'],
  ]) {
    const { status, json } = await transact(world, [['SET', 'tx:r', '1'], command]);
    t.is(status, 400);
    t.regex(json.error, /^ERR .+ is not supported over HTTP: .+ \(command 1\)$/);
  }
  t.is(await countCalls('multi'), 0);
  t.is(await redis.admin.get('tx:r'), null);
});

test.serial('commands do not run where the key may not begin a transaction', async (t) => {
  const world = await startWorld(t, redis, { permissions: ['read'] });
  await redis.admin.call('CONFIG', 'RESETSTAT');
  const { status, json } = await transact(world, [['GET', 'k'], ['PING']]);
  t.is(status, 400);
  t.regex(json.error, /^NOPERM .*'multi'/);
  t.is(await countCalls('get'), 0);
});

test.serial(
  'commands that wait do not wait in a transaction, and unknown ones abort it',
  async (t) => {
    const world = await startWorld(t, redis);
    await redis.admin.del('tx:l');
    const { status, json } = await transact(world, [
      ['BLPOP', 'tx:l', '0'],
      ['RPUSH', 'tx:l', 'a'],
      ['BLPOP', 'tx:l', '0'],
    ]);
    t.is(status, 200);
    t.deepEqual(json, [{ result: null }, { result: 1 }, { result: ['tx:l', 'a'] }]);
    const unknown = await transact(world, [['NOSUCH'], ['SET', 'tx:u', '1']]);
    t.is(unknown.status, 400);
    t.regex(unknown.json.error, /^EXECABORT .+ \(command 0: ERR unknown command 'NOSUCH'/);
    t.is(await redis.admin.get('tx:u'), null);
  },
);

test.serial('a transaction whose end is refused takes no later request with it', async (t) => {
  const world = await startWorld(t, redis);
  await call(world, world, '/ping');
  await redis.admin.call('ACL', 'SETUSER', world.key.id, '-exec');
  const [first, ...others] = await Promise.all([
    transact(world, [['SET', 'tx:e', '1']]),
    ...Array.from({ length: 20 }, (_, index) => call(world, world, `/echo/${index}`)),
  ]);
  t.is(first?.status, 400);
  t.regex(first?.json.error, /^EXECABORT .*no permissions/);
  t.is(await redis.admin.get('tx:e'), null);
  for (const [index, { json }] of others.entries()) t.is(json.result, String(index));
  t.is((await call(world, world, '/echo/after')).json.result, 'after');
});

test.serial('transactions of many requests at once do not mix', async (t) => {
  const world = await startWorld(t, redis);
  const tasks = Array.from({ length: 300 }, async (_, index) => {
    const key = `tx:mix:${index % 5}`;
    const { json } = await transact(world, [
      ['SET', key, index],
      ['INCR', key],
      ['GET', key],
      ['ECHO', `${index}`],
    ]);
    return json.map(({ result }: { result: unknown }) => result);
  });
  for (const [index, results] of (await Promise.all(tasks)).entries()) {
    t.deepEqual(results, ['OK', index + 1, String(index + 1), String(index)]);
  }
});

for (const body of ['', '[]', '{}', '[[]]', '[["GET",null]]', '[["GET","k"],"x"]', 'x']) {
  test.serial(`the transaction ${JSON.stringify(body)} is refused whole with 400`, async (t) => {
    const world = await startWorld(t, redis);
    const { status, json } = await call(world, world, '/multi-exec', { method: 'POST', body });
    t.is(status, 400);
    t.is(typeof json.error, 'string');
  });
}
