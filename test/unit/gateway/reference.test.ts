import test from 'ava';
import { type RedisContainer, startRedisContainer } from '../../support/redis-container.ts';
import { call, post, startWorld } from './harness.ts';

let redis: RedisContainer;
test.before(async () => {
  redis = await startRedisContainer();
});
test.after.always(async () => await redis?.remove());

test('every call of the reference gets its documented answer', async (t) => {
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
