/** What Upstash's client can ask for, call by call, and what it must then give: for a Redis 7.0. */
import type { Redis } from '@upstash/redis';
import type { ExecutionContext } from 'ava';

export interface Scene {
  readonly t: ExecutionContext;
  readonly redis: Redis;
  /** A key that nobody else uses. */
  key(name: string): string;
}

type Calls = (scene: Scene) => Promise<void>;

/** Every method of the client that is a command, by kind of data. */
export const calls: Readonly<Record<string, Calls>> = {
  strings: async ({ t, redis, key }) => {
    const [a, b, n] = [key('a'), key('b'), key('n')];
    t.is(await redis.set(a, 'OK'), 'OK');
    t.is(await redis.get(a), 'OK');
    t.is(await redis.get(key('none')), null);
    t.is(await redis.set(b, 'é😀\r\n"', { ex: 100, nx: true }), 'OK');
    t.is(await redis.set(b, 'x', { nx: true }), null);
    t.is(await redis.set(b, 'new', { get: true, keepTtl: true }), 'é😀\r\n"');
    t.is(await redis.getset(b, 'newer'), 'new');
    t.deepEqual(await redis.mget([a, b, key('none')]), ['OK', 'newer', null]);
    t.is(await redis.mset({ [a]: 'one', [b]: { two: 2 } }), 'OK');
    t.deepEqual(await redis.get(b), { two: 2 });
    t.is(await redis.msetnx({ [a]: 'x' }), 0);
    t.is(await redis.append(a, '!'), 4);
    t.is(await redis.strlen(a), 4);
    t.is(await redis.getrange(a, 1, 2), 'ne');
    t.is(await redis.setrange(a, 0, 'O'), 4);
    t.is(await redis.incr(n), 1);
    t.is(await redis.incrby(n, 9), 10);
    t.is(await redis.decr(n), 9);
    t.is(await redis.decrby(n, 4), 5);
    t.is(await redis.incrbyfloat(n, 0.5), 5.5);
    t.is(await redis.setex(a, 100, 'x'), 'OK');
    t.is(await redis.psetex(a, 100_000, 'x'), 'OK');
    t.is(await redis.setnx(a, 'y'), 0);
    t.is(await redis.getex(a, { persist: true }), 'x');
    t.is(await redis.getdel(a), 'x');
  },
  keys: async ({ t, redis, key }) => {
    const [a, b] = [key('a'), key('b')];
    await redis.mset({ [a]: 'a', [b]: 'b' });
    t.is(await redis.exists(a, b, key('none')), 2);
    t.is(await redis.expire(a, 100), 1);
    t.is(await redis.pexpire(a, 100_000), 1);
    t.is(await redis.expireat(a, 4_000_000_000), 1);
    t.is(await redis.pexpireat(a, 4_000_000_000_000), 1);
    t.true((await redis.ttl(a)) > 1_000);
    t.true((await redis.pttl(a)) > 1_000_000);
    t.is(await redis.persist(a), 1);
    t.is(await redis.type(a), 'string');
    t.is(await redis.touch(a, b), 2);
    t.is(await redis.copy(a, key('copy')), 'COPIED');
    t.is(await redis.rename(key('copy'), key('renamed')), 'OK');
    t.is(await redis.renamenx(a, b), 0);
    t.is(typeof (await redis.randomkey()), 'string');
    t.true((await redis.dbsize()) >= 3);
    t.deepEqual((await redis.keys(key('*'))).sort(), [a, b, key('renamed')].sort());
    t.is(await redis.unlink(a), 1);
    t.is(await redis.del(b, key('renamed')), 2);
    t.is(await redis.echo('é'), 'é');
    t.is(await redis.ping(), 'PONG');
    t.is((await redis.time()).length, 2);
  },
  hashes: async ({ t, redis, key }) => {
    const h = key('h');
    t.is(await redis.hset(h, { field: 'value', 10: 'ten', OK: 'OK', n: 1, o: { a: [1] } }), 5);
    t.deepEqual(await redis.hgetall(h), {
      field: 'value',
      10: 'ten',
      OK: 'OK',
      n: 1,
      o: { a: [1] },
    });
    t.is(await redis.hgetall(key('none')), null);
    t.is(await redis.hget(h, 'OK'), 'OK');
    t.deepEqual(await redis.hmget(h, 'field', 'none'), { field: 'value', none: null });
    t.is(await redis.hmset(h, { more: 'm' }), 'OK');
    t.is(await redis.hsetnx(h, 'more', 'x'), 0);
    t.is(await redis.hincrby(h, 'n', 2), 3);
    t.is(await redis.hincrbyfloat(h, 'n', 0.5), 3.5);
    t.is(await redis.hlen(h), 6);
    t.is(await redis.hexists(h, 'more'), 1);
    t.is(await redis.hstrlen(h, 'field'), 5);
    t.deepEqual((await redis.hkeys(h)).map(String).sort(), ['10', 'OK', 'field', 'more', 'n', 'o']);
    t.is((await redis.hvals(h)).length, 6);
    // The client reads a field that is a number as one.
    t.true(['string', 'number'].includes(typeof (await redis.hrandfield(h))));
    t.is(Object.keys((await redis.hrandfield(h, 2, true)) ?? {}).length, 2);
    const [cursor, pairs] = await redis.hscan(h, 0, { match: 'f*' });
    t.deepEqual([String(cursor), pairs], ['0', ['field', 'value']]);
    t.is(await redis.hdel(h, 'more', 'none'), 1);
  },
  lists: async ({ t, redis, key }) => {
    const [l, m] = [key('l'), key('m')];
    t.is(await redis.lpush(l, 'a', 'b', 'OK'), 3);
    t.is(await redis.rpush(l, 'c'), 4);
    t.is(await redis.lpushx(key('none'), 'x'), 0);
    t.is(await redis.rpushx(key('none'), 'x'), 0);
    t.deepEqual(await redis.lrange(l, 0, -1), ['OK', 'b', 'a', 'c']);
    t.is(await redis.lindex(l, 0), 'OK');
    t.is(await redis.lset(l, 0, 'first'), 'OK');
    t.is(await redis.linsert(l, 'before', 'a', 'x'), 5);
    t.is(await redis.lpos(l, 'a'), 3);
    t.is(await redis.llen(l), 5);
    t.is(await redis.lmove(l, m, 'left', 'right'), 'first');
    t.is(await redis.lrem(l, 1, 'x'), 1);
    t.deepEqual(await redis.lmpop(1, [l], 'LEFT', 1), [l, ['b']]);
    t.is(await redis.ltrim(l, 0, 10), 'OK');
    t.deepEqual(await redis.lpop(l, 1), ['a']);
    t.is(await redis.rpop(l), 'c');
    t.is(await redis.lpop(l), null);
  },
  sets: async ({ t, redis, key }) => {
    const [a, b, to] = [key('a'), key('b'), key('to')];
    t.is(await redis.sadd(a, 'x', 'y', 'z'), 3);
    t.is(await redis.sadd(b, 'y'), 1);
    t.is(await redis.scard(a), 3);
    t.is(await redis.sismember(a, 'x'), 1);
    t.deepEqual(await redis.smismember(a, ['x', 'none']), [1, 0]);
    t.deepEqual((await redis.smembers(a)).sort(), ['x', 'y', 'z']);
    t.deepEqual(await redis.sinter(a, b), ['y']);
    t.is(await redis.sintercard([a, b]), 1);
    t.deepEqual((await redis.sdiff(a, b)).sort(), ['x', 'z']);
    t.is((await redis.sunion(a, b)).length, 3);
    t.is(await redis.sinterstore(to, a, b), 1);
    t.is(await redis.sdiffstore(to, a, b), 2);
    t.is(await redis.sunionstore(to, a, b), 3);
    t.is(await redis.smove(a, b, 'x'), 1);
    t.is((await redis.sscan(a, 0))[1].length, 2);
    t.is(typeof (await redis.srandmember(a)), 'string');
    t.is(await redis.srem(a, 'y', 'none'), 1);
    t.is(await redis.spop(a), 'z');
  },
  'sorted sets': async ({ t, redis, key }) => {
    const [z, y, to] = [key('z'), key('y'), key('to')];
    t.is(await redis.zadd(z, { score: 1.5, member: 'a' }, { score: 2, member: 'b' }), 2);
    t.is(await redis.zadd(z, { nx: true }, { score: 9, member: 'a' }), 0);
    t.is(await redis.zadd(y, { score: 1, member: 'b' }, { score: 7, member: 'OK' }), 2);
    t.deepEqual(await redis.zrange(z, 0, -1, { withScores: true }), ['a', 1.5, 'b', 2]);
    t.deepEqual(await redis.zrange(z, 0, 5, { byScore: true, rev: false }), ['a', 'b']);
    t.is(await redis.zscore(z, 'a'), 1.5);
    t.is(await redis.zscore(z, 'none'), null);
    t.deepEqual(await redis.zmscore(z, ['a', 'none']), [1.5, null]);
    t.is(await redis.zcard(z), 2);
    t.is(await redis.zcount(z, '-inf', '+inf'), 2);
    t.is(await redis.zlexcount(z, '-', '+'), 2);
    t.is(await redis.zincrby(z, 2, 'a'), 3.5);
    t.is(await redis.zrank(z, 'a'), 1);
    t.is(await redis.zrevrank(z, 'a'), 0);
    t.is(await redis.zinterstore(to, 2, [z, y]), 1);
    t.is(await redis.zdiffstore(to, 2, z, y), 1);
    t.is(await redis.zunionstore(to, 2, [z, y]), 3);
    t.deepEqual(await redis.zunion(2, [z, y], { withScores: true }), ['b', 3, 'a', 3.5, 'OK', 7]);
    t.is((await redis.zscan(z, 0))[1].length, 4);
    t.deepEqual(await redis.zpopmin(z), ['b', 2]);
    t.deepEqual(await redis.zpopmax(z), ['a', 3.5]);
    t.is(await redis.zrem(y, 'b'), 1);
    t.is(await redis.zremrangebyscore(to, 0, 3), 1);
    t.is(await redis.zremrangebyrank(to, 0, 0), 1);
    t.is(await redis.zremrangebylex(to, '-', '+'), 1);
  },
  streams: async ({ t, redis, key }) => {
    const x = key('x');
    const id = await redis.xadd(x, '*', { field: 'value', n: 1 });
    await redis.xadd(
      x,
      '*',
      { field: 'second' },
      { trim: { type: 'MAXLEN', threshold: 10, comparison: '=' } },
    );
    t.is(await redis.xlen(x), 2);
    t.deepEqual((await redis.xrange(x, '-', '+'))[id], { field: 'value', n: 1 });
    t.is(Object.keys(await redis.xrevrange(x, '+', '-', 1)).length, 1);
    t.truthy(await redis.xread(x, '0-0', { count: 1 }));
    const group = { type: 'CREATE', group: 'g', id: '0' } as const;
    const made: unknown = await redis.xgroup(x, group);
    t.is(made, 'OK');
    t.truthy(await redis.xreadgroup('g', 'consumer', x, '>', { count: 1 }));
    t.truthy(await redis.xpending(x, 'g', '-', '+', 10));
    t.truthy(await redis.xinfo(x, { type: 'GROUPS' }));
    t.truthy(await redis.xclaim(x, 'g', 'other', 0, id));
    t.truthy(await redis.xautoclaim(x, 'g', 'third', 0, '0-0'));
    t.is(await redis.xack(x, 'g', id), 1);
    t.is(await redis.xdel(x, id), 1);
    t.is(await redis.xtrim(x, { strategy: 'MAXLEN', threshold: 0, exactness: '=' }), 1);
  },
  places: async ({ t, redis, key }) => {
    const g = key('g');
    const palermo = { longitude: 13.361389, latitude: 38.115556, member: 'Palermo' };
    const catania = { longitude: 15.087269, latitude: 37.502669, member: 'Catania' };
    t.is(await redis.geoadd(g, palermo, catania), 2);
    t.is(await redis.geodist(g, 'Palermo', 'Catania', 'KM'), 166.2742);
    t.deepEqual(await redis.geohash(g, 'Palermo'), ['sqc8b49rny0']);
    // The client leaves out those that are not there.
    t.is((await redis.geopos(g, 'Palermo', 'none')).length, 1);
    const near = { type: 'FROMLONLAT', coordinate: { lon: 15, lat: 37 } } as const;
    const within = { type: 'BYRADIUS', radius: 200, radiusType: 'KM' } as const;
    const found = await redis.geosearch(g, near, within, 'ASC');
    t.deepEqual(
      found.map(({ member }) => member),
      ['Catania', 'Palermo'],
    );
    t.is(await redis.geosearchstore(key('to'), g, near, within, 'ASC'), 2);
  },
  bits: async ({ t, redis, key }) => {
    const [a, b] = [key('a'), key('b')];
    t.is(await redis.setbit(a, 7, 1), 0);
    t.is(await redis.getbit(a, 7), 1);
    t.is(await redis.bitcount(a, 0, -1), 1);
    t.is(await redis.bitpos(a, 1), 7);
    t.is(await redis.bitop('not', b, a), 1);
    // Its own method of that name cannot be called while it gathers calls into pipelines.
    const field = redis.exec(['BITFIELD', key('f'), 'SET', 'u8', '0', '255', 'GET', 'u8', '0']);
    t.deepEqual(await field, [0, 255]);
  },
  'counts of the distinct': async ({ t, redis, key }) => {
    const [a, b] = [key('a'), key('b')];
    t.is(await redis.pfadd(a, 'x', 'y'), 1);
    t.is(await redis.pfadd(b, 'z'), 1);
    t.is(await redis.pfcount(a, b), 3);
    t.is(await redis.pfmerge(key('to'), a, b), 'OK');
  },
  scripts: async ({ t, redis, key }) => {
    t.deepEqual(await redis.eval('return {KEYS[1], ARGV[1], 7}', ['key'], ['arg']), [
      'key',
      'arg',
      7,
    ]);
    t.is(await redis.evalRo('return 7', [], []), 7);
    const sha = await redis.scriptLoad('return ARGV[1]');
    t.deepEqual(await redis.scriptExists(sha, '0'.repeat(40)), [1, 0]);
    t.is(await redis.evalsha(sha, [], ['x']), 'x');
    t.is(await redis.evalshaRo(sha, [], ['x']), 'x');
    await t.throwsAsync(redis.evalsha('0'.repeat(40), [], []), { message: /NOSCRIPT/ });
    const script = redis.createScript<string>('return ARGV[2]');
    t.is(await script.exec([key('a')], ['x', 'second']), 'second');
    t.is(await script.evalsha([key('a')], ['x', 'second']), 'second');
    await t.throwsAsync(redis.eval("return redis.error_reply('ERR own words')", [], []), {
      message: /own words/,
    });
  },
  pipelines: async ({ t, redis, key }) => {
    const [a, n] = [key('a'), key('n')];
    const pipeline = redis
      .pipeline()
      .set(a, { x: 1 })
      .get(a)
      .incr(n)
      .hset(key('h'), { f: 'v' })
      .hgetall(key('h'));
    t.deepEqual(await pipeline.exec(), ['OK', { x: 1 }, 1, 1, { f: 'v' }]);
    const kept = await redis.pipeline().set(a, 'x').lpush(a, 'y').get(a).exec({ keepErrors: true });
    t.regex(kept[1]?.error ?? '', /WRONGTYPE/);
    t.is(kept[2]?.result, 'x');
    t.deepEqual(await redis.multi().incr(n).get(n).exec(), [2, 2]);
    await t.throwsAsync(
      redis
        .multi()
        .set(a, 'x')
        .exec<never>()
        .then(() => redis.multi().lpush(a, 'y').exec()),
      { message: /WRONGTYPE/ },
    );
    const many = redis.pipeline();
    for (let index = 0; index < 1_000; index += 1) many.echo(String(index));
    t.deepEqual(
      (await many.exec()).map(Number),
      Array.from({ length: 1_000 }, (_, at) => at),
    );
    const together = await Promise.all(
      Array.from({ length: 300 }, (_, at) => redis.echo(`e${at}`)),
    );
    t.deepEqual(
      together,
      Array.from({ length: 300 }, (_, at) => `e${at}`),
    );
  },
  scans: async ({ t, redis, key }) => {
    const names = Array.from({ length: 250 }, (_, at) => key(`s${at}`));
    await redis.mset(Object.fromEntries(names.map((name) => [name, 1])));
    const found = new Set<string>();
    let cursor = '0';
    do {
      const [next, page] = await redis.scan(cursor, { match: key('s*'), count: 100 });
      for (const name of page) found.add(name);
      cursor = String(next);
    } while (cursor !== '0');
    t.deepEqual([...found].sort(), names.sort());
    const [, typed] = await redis.scan(0, { match: key('s*'), count: 1_000, withType: true });
    t.true(typed.every(({ type }) => type === 'string'));
  },
  subscriptions: async ({ t, redis, key }) => {
    const channel = key('channel');
    const heard = Promise.withResolvers<unknown>();
    const ready = Promise.withResolvers<unknown>();
    const subscriber = redis.subscribe<unknown>(channel);
    subscriber.on('subscribe', ready.resolve);
    subscriber.on('error', ready.reject);
    subscriber.on('message', (event) => heard.resolve(event.message));
    await ready.promise;
    t.is(await redis.publish(channel, { n: 1 }), 1);
    t.deepEqual(await heard.promise, { n: 1 });
    await subscriber.unsubscribe();
    const byPattern = redis.psubscribe<unknown>(`${key('pattern')}*`);
    const matched = Promise.withResolvers<unknown>();
    const begun = Promise.withResolvers<unknown>();
    byPattern.on('psubscribe', begun.resolve);
    byPattern.on('pmessage', (event) => matched.resolve(event));
    await begun.promise;
    await redis.publish(`${key('pattern')}ed`, { n: 2 });
    const { message } = (await matched.promise) as { message: unknown };
    t.deepEqual(message, { n: 2 });
    await byPattern.unsubscribe();
  },
  'what this Redis does not have': async ({ t, redis, key }) => {
    await t.throwsAsync(redis.json.set(key('j'), '$', '{}'), { message: /unknown command/i });
    await t.throwsAsync(redis.hexpire(key('h'), 'f', 1), { message: /unknown command/i });
    await t.throwsAsync(
      redis.lpush(key('a'), 'x').then(() => redis.get(key('a'))),
      { message: /WRONGTYPE/ },
    );
    await t.throwsAsync(redis.exec(['CONFIG', 'GET', '*']), { message: /NOPERM/ });
  },
};
