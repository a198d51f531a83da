/** The calls that the product's documents show, and what these say of the answers. */
import { Redis } from '@upstash/redis';
import test from 'ava';
import { createDataSecret } from '../../../src/keys/format.ts';
import { type RedisContainer, startRedisContainer } from '../../support/redis-container.ts';
import { addInstance, call, post, startWorld } from './harness.ts';

let redis: RedisContainer;
test.before(async () => {
  redis = await startRedisContainer();
});
test.after.always(async () => await redis?.remove());

test.serial('every call of the reference gets its documented answer', async (t) => {
  const world = await startWorld(t, redis);
  const { instanceId: i } = world;
  const gets: [string, unknown][] = [
    ['/ping', 'PONG'],
    [`/set/${i}:k/myvalue`, 'OK'],
    [`/get/${i}:k`, 'myvalue'],
    [`/del/${i}:k`, 1],
    [`/get/${i}:k`, null],
    [`/incr/${i}:counter`, 1],
    [`/hset/${i}:user:1/name/john`, 1],
    [`/hget/${i}:user:1/name`, 'john'],
    [`/lpush/${i}:list/item1`, 1],
    [`/lpop/${i}:list`, 'item1'],
  ];
  for (const [path, result] of gets) {
    const answer = await call(world, world, path);
    t.deepEqual([answer.status, answer.json], [200, { result }], path);
  }
  const posts: [unknown[], unknown][] = [
    [['SETEX', `${i}:session`, '3600', 'user_data'], 'OK'],
    [['TTL', `${i}:session`], 3600],
    [
      ['MGET', `${i}:session`, `${i}:none`],
      ['user_data', null],
    ],
    [['HGETALL', `${i}:user:1`], { name: 'john' }],
    [['HGETALL', `${i}:none`], {}],
    [['RPUSH', `${i}:l`, 'a', 'b', 3], 3],
    [
      ['LRANGE', `${i}:l`, 0, -1],
      ['a', 'b', '3'],
    ],
    [['SADD', `${i}:s`, 'member1'], 1],
    [['SISMEMBER', `${i}:s`, 'member1'], 1],
    [['SMEMBERS', `${i}:s`], ['member1']],
    [['EXISTS', `${i}:s`], 1],
    [['APPEND', `${i}:session`, '!'], 10],
    [['STRLEN', `${i}:session`], 10],
    [['DECR', `${i}:counter`], 0],
    [['EXPIRE', `${i}:s`, 100], 1],
    [['HEXISTS', `${i}:user:1`, 'name'], 1],
    [['HKEYS', `${i}:user:1`], ['name']],
    [['HVALS', `${i}:user:1`], ['john']],
    [['LLEN', `${i}:l`], 3],
    [['ZADD', `${i}:z`, 1.5, 'a', 'inf', 'b'], 2],
    [['ZSCORE', `${i}:z`, 'a'], 1.5],
    [
      ['ZRANGE', `${i}:z`, 0, -1, 'WITHSCORES'],
      [
        ['a', 1.5],
        ['b', 'inf'],
      ],
    ],
    [['SET', `${i}:big`, 9007199254740992], 'OK'],
    [['INCR', `${i}:big`], '9007199254740993'],
    [['SET', `${i}:big`, '9007199254740944'], 'OK'],
    [['INCR', `${i}:big`], 9007199254740945],
    [
      ['EVAL', 'redis.setresp(3) return {true, {double=3.25}, {map={a=1}}}', 0],
      [true, 3.25, { a: 1 }],
    ],
    [['SCRIPT', 'EXISTS', 'x'], [0]],
  ];
  for (const [command, result] of posts) {
    const answer = await post(world, world, command);
    t.deepEqual([answer.status, answer.json], [200, { result }], command.join(' '));
  }
  const server = (await post(world, world, ['INFO', 'server'])).json.result;
  t.true(server.startsWith('# Server\r\nredis_version:7.'), server.slice(0, 40));
});

test.serial(
  'the samples of the reference run as they are written, one after the other',
  async (t) => {
    const world = await startWorld(t, redis);
    await redis.admin.flushall();
    const samples: [string | unknown[], unknown][] = [
      ['/set/mykey/myvalue', 'OK'],
      ['/get/mykey', 'myvalue'],
      ['/del/mykey', 1],
      ['/incr/counter', 1],
      ['/hset/user:1/name/john', 1],
      ['/hget/user:1/name', 'john'],
      ['/lpush/mylist/item1', 1],
      ['/lpop/mylist', 'item1'],
      ['/ping', 'PONG'],
      [['SETEX', 'session:123', '3600', 'user_data'], 'OK'],
      [
        ['MGET', 'key1', 'key2', 'key3'],
        [null, null, null],
      ],
      [['HGETALL', 'user:1'], { name: 'john' }],
      [['LRANGE', 'mylist', '0', '-1'], []],
      [['SADD', 'myset', 'member1', 'member2'], 2],
    ];
    for (const [sample, result] of samples) {
      const answer =
        typeof sample === 'string'
          ? await call(world, world, sample)
          : await post(world, world, sample, { 'Content-Type': 'application/json' });
      t.deepEqual([answer.status, answer.json], [200, { result }], String(sample));
      t.regex(answer.headers.get('content-type') ?? '', /^application\/json/);
    }
    const { baseUrl, instanceId, secret } = world;
    const byQuery = await fetch(`${baseUrl}/redis/${instanceId}/get/session:123?_token=${secret}`);
    t.deepEqual(await byQuery.json(), { result: 'user_data' });
  },
);

test.serial(
  'every command that the reference names runs through the generic endpoint',
  async (t) => {
    const world = await startWorld(t, redis);
    await redis.admin.flushall();
    const commands: [string, unknown][] = [
      ['SET k v', 'OK'],
      ['GET k', 'v'],
      ['EXISTS k', 1],
      ['APPEND k w', 2],
      ['STRLEN k', 2],
      ['EXPIRE k 60', 1],
      ['TTL k', 60],
      ['DEL k', 1],
      ['INCR n', 1],
      ['DECR n', 0],
      ['HSET h f v g w', 2],
      ['HGET h f', 'v'],
      ['HEXISTS h f', 1],
      ['HGETALL h', { f: 'v', g: 'w' }],
      ['HKEYS h', ['f', 'g']],
      ['HVALS h', ['v', 'w']],
      ['HDEL h f', 1],
      ['LPUSH l a b', 2],
      ['RPUSH l c', 3],
      ['LLEN l', 3],
      ['LRANGE l 0 -1', ['b', 'a', 'c']],
      ['LPOP l', 'b'],
      ['RPOP l', 'c'],
      ['SADD s m', 1],
      ['SISMEMBER s m', 1],
      ['SMEMBERS s', ['m']],
      ['SCARD s', 1],
      ['SREM s m', 1],
      ['PING', 'PONG'],
      // One that it does not name.
      ['GETDEL n', '0'],
    ];
    for (const [line, result] of commands) {
      const answer = await post(world, world, line.split(' '));
      t.deepEqual([answer.status, answer.json], [200, { result }], line);
    }
  },
);

test.serial(
  'an error has the status that the reference gives it, and says what is wrong',
  async (t) => {
    const world = await startWorld(t, redis);
    const gone = await addInstance(world, { port: 1 });
    const own = { instanceId: world.instanceId, secret: world.secret };
    const answers = {
      400: await post(world, world, ['GET']),
      401: await call(world, { ...own, secret: createDataSecret().secret }, '/ping'),
      404: await call(world, { ...own, instanceId: gone.instanceId }, '/ping'),
      500: await call(world, gone, '/ping'),
    };
    for (const [wanted, { status, json }] of Object.entries(answers)) {
      t.is(String(status), wanted);
      t.deepEqual(Object.keys(json), ['error']);
      t.truthy(json.error);
    }
  },
);

test.serial('the Upstash client works as the reference sets it up', async (t) => {
  const world = await startWorld(t, redis);
  const client = new Redis({
    url: `${world.baseUrl}/redis/${world.instanceId}`,
    token: world.secret,
    enableTelemetry: false,
  });
  t.is(await client.set('key', 'value'), 'OK');
  t.is(await client.get('key'), 'value');
  t.is(await client.hset('hash', { field: 'value' }), 1);
  t.deepEqual(await client.hgetall('hash'), { field: 'value' });
});
