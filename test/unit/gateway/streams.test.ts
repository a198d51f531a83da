/** Streams over real HTTP, from a real Redis. */
import { Redis } from '@upstash/redis';
import test from 'ava';
import { pollUntil } from '../../../src/lib/retry.ts';
import { type RedisContainer, startRedisContainer } from '../../support/redis-container.ts';
import { openEvents } from './event-reader.ts';
import {
  addInstance,
  call,
  countConnections,
  post,
  signUp,
  startWorld,
  type World,
} from './harness.ts';

const patience = { timeoutMs: 30_000, intervalMs: 10 };
let redis: RedisContainer;
test.before(async () => {
  redis = await startRedisContainer();
});
test.after.always(async () => await redis?.remove());

async function waitForConnections(world: World, count: number): Promise<void> {
  const isSo = async (): Promise<true | undefined> =>
    (await countConnections(redis, world)) === count || undefined;
  await pollUntil(isSo, patience);
}

function upstash(world: World): Redis {
  const url = `${world.baseUrl}/redis/${world.instanceId}`;
  return new Redis({ url, token: world.secret, enableTelemetry: false });
}

/** Collects what a subscriber of Upstash's client is told. */
function collect<T>(): {
  told: T[];
  tell: (event: T) => void;
  until: (count: number) => Promise<T[]>;
} {
  const told: T[] = [];
  const until = (count: number): Promise<T[]> =>
    pollUntil(async () => (told.length >= count ? told : undefined), patience);
  return { told, tell: (event) => told.push(event), until };
}

test.serial("Upstash's client subscribes, is told messages and unsubscribes", async (t) => {
  const world = await startWorld(t, redis);
  const client = upstash(world);
  const subscriber = client.subscribe<unknown>(['up:one', 'up:two']);
  const [counts, all, ofTwo] = [collect<number>(), collect<unknown>(), collect<unknown>()];
  subscriber.on('subscribe', counts.tell);
  subscriber.on('message', ({ channel, message }) => all.tell([channel, message]));
  subscriber.on('message:up:two', ({ message }) => ofTwo.tell(message));
  t.deepEqual(await counts.until(2), [1, 1]);
  t.is(await client.publish('up:one', { list: [1, 'zwei'] }), 1);
  await all.until(1);
  await client.publish('up:two', 'plain, with commas');
  await all.until(2);
  await client.publish('up:two', 'two\nlines');
  await all.until(3);
  t.deepEqual(all.told, [
    ['up:one', { list: [1, 'zwei'] }],
    ['up:two', 'plain, with commas'],
    ['up:two', 'two\nlines'],
  ]);
  t.deepEqual(ofTwo.told, ['plain, with commas', 'two\nlines']);
  await subscriber.unsubscribe(['up:one']);
  const isAlone = async (): Promise<true | undefined> =>
    (await client.publish('up:one', 'x')) === 0 || undefined;
  await pollUntil(isAlone, patience);
  await client.publish('up:two', 'after');
  await all.until(4);
  await subscriber.unsubscribe();
});

test.serial(
  "Upstash's client subscribes to patterns, whose messages need not be JSON",
  async (t) => {
    const world = await startWorld(t, redis);
    const client = upstash(world);
    const subscriber = client.psubscribe<unknown>(['user:*']);
    const [begun, messages, errors] = [collect<number>(), collect<unknown>(), collect<Error>()];
    subscriber.on('psubscribe', begun.tell);
    subscriber.on('pmessage', messages.tell);
    subscriber.on('error', errors.tell);
    await begun.until(1);
    for (const message of ['plain', { a: 1 }, 'two\nlines'])
      await client.publish('user:7', message);
    const pattern = 'user:*';
    t.deepEqual(await messages.until(3), [
      { pattern, channel: 'user:7', message: 'plain' },
      { pattern, channel: 'user:7', message: { a: 1 } },
      { pattern, channel: 'user:7', message: 'two\nlines' },
    ]);
    t.deepEqual(errors.told, []);
    await subscriber.unsubscribe();
  },
);

for (const { name, init } of [
  { name: 'GET', init: {} },
  { name: 'POST', init: { method: 'POST' } },
  { name: 'POST of []', init: { method: 'POST', body: '[]' } },
  { name: 'GET that accepts events', init: { headers: { Accept: 'text/event-stream' } } },
]) {
  test.serial(
    `a ${name} subscribes, with an event for each channel before its messages`,
    async (t) => {
      const world = await startWorld(t, redis);
      const [one, two] = [`${world.instanceId}:one`, `${world.instanceId}:two/é`];
      const path = `/subscribe/${one}/${encodeURIComponent(two)}`;
      const reader = await openEvents(t, world, world, path, init);
      t.is(reader.status, 200);
      t.is(reader.headers.get('content-type'), 'text/event-stream');
      t.is(reader.headers.get('cache-control'), 'no-store');
      t.is(reader.headers.get('x-accel-buffering'), 'no');
      t.is(reader.headers.get('content-encoding'), null);
      t.truthy(reader.headers.get('x-request-id'));
      t.deepEqual(await reader.take(2), [`subscribe,${one},1`, `subscribe,${two},2`]);
      await redis.admin.publish(two, 'hello');
      t.is(await reader.next(), `message,${two},hello`);
    },
  );
}

test.serial('a pattern stream names the pattern, the channel and the message', async (t) => {
  const world = await startWorld(t, redis);
  const prefix = world.instanceId;
  const reader = await openEvents(t, world, world, `/psubscribe/${prefix}:%3Fa*/${prefix}:z`);
  t.deepEqual(await reader.take(2), [`psubscribe,${prefix}:?a*,1`, `psubscribe,${prefix}:z,2`]);
  await redis.admin.publish(`${prefix}:1abc`, '{"n":1}');
  t.is(await reader.next(), `pmessage,${prefix}:?a*,${prefix}:1abc,{"n":1}`);
});

test.serial(
  'a message of any bytes is one event: line breaks as JSON, no UTF-8 as U+FFFD',
  async (t) => {
    const world = await startWorld(t, redis);
    const channel = world.instanceId;
    const reader = await openEvents(t, world, world, `/psubscribe/${channel}*`);
    await reader.next();
    const publish = (name: string, message: string | Buffer) => redis.admin.publish(name, message);
    await publish(channel, 'a\r\n\r\ndata: message,x,forged');
    await publish(`${channel}\n\ndata: forged`, '1');
    await publish(channel, Buffer.from([0x22, 0xff, 0x00, 0x22]));
    await publish(channel, '');
    t.deepEqual(await reader.take(4), [
      `pmessage,${channel}*,${channel},"a\\r\\n\\r\\ndata: message,x,forged"`,
      `pmessage,${channel}*,"${channel}\\n\\ndata: forged",1`,
      `pmessage,${channel}*,${channel},"\\"\uFFFD\\u0000\\""`,
      `pmessage,${channel}*,${channel},""`,
    ]);
  },
);

test.serial('many messages at once arrive whole and in order', async (t) => {
  const world = await startWorld(t, redis);
  const channel = world.instanceId;
  const reader = await openEvents(t, world, world, `/subscribe/${channel}`);
  await reader.next();
  const messages = Array.from(
    { length: 5_000 },
    (_, index) => `${index} ${'x'.repeat(index % 97)}`,
  );
  const pipeline = redis.admin.pipeline();
  for (const message of messages) pipeline.publish(channel, message);
  await pipeline.exec();
  t.deepEqual(
    await reader.take(messages.length),
    messages.map((message) => `message,${channel},${message}`),
  );
});

test.serial(
  'what Redis refuses is a JSON error with its status, and no connection stays',
  async (t) => {
    const world = await startWorld(t, redis);
    await redis.admin.call('ACL', 'SETUSER', world.key.id, '-subscribe', '-psubscribe');
    for (const path of ['/subscribe/news', '/psubscribe/n*', '/monitor']) {
      const answer = await call(world, world, path, { method: 'POST', body: '[]' });
      t.is(answer.status, 400);
      t.regex(answer.json.error, /^NOPERM /);
      t.regex(answer.headers.get('content-type') ?? '', /^application\/json/);
    }
    await waitForConnections(world, 0);
  },
);

test.serial('channels outside the ACL are refused before the stream begins', async (t) => {
  const world = await startWorld(t, redis);
  await redis.admin.call('ACL', 'SETUSER', world.key.id, 'resetchannels', '&mine:*');
  const answer = await call(world, world, '/subscribe/mine:1/yours:1');
  t.is(answer.status, 400);
  t.regex(answer.json.error, /^NOPERM /);
  const reader = await openEvents(t, world, world, '/subscribe/mine:1');
  t.is(await reader.next(), 'subscribe,mine:1,1');
});

test.serial('neither keys of full rights nor read-only ones have MONITOR', async (t) => {
  for (const permissions of [['read'], ['read', 'write']] as const) {
    const world = await startWorld(t, redis, { permissions: [...permissions] });
    const { status, json } = await call(world, world, '/monitor');
    t.is(status, 400);
    t.regex(json.error, /^NOPERM /);
  }
});

test.serial(
  'a user whom Redis lets monitor is told "OK" and then the lines as they are',
  async (t) => {
    const world = await startWorld(t, redis);
    await redis.admin.call('ACL', 'SETUSER', world.key.id, '+monitor');
    const reader = await openEvents(t, world, world, '/monitor', { method: 'POST', body: '[]' });
    t.is(await reader.next(), '"OK"');
    await redis.admin.set(`${world.instanceId}:k`, 'two\nlines');
    let line = await reader.next();
    while (!line?.includes(world.instanceId)) line = await reader.next();
    t.true(line.endsWith(` "set" "${world.instanceId}:k" "two\\nlines"`), line);
    t.regex(line, /^\d+\.\d+ \[0 [\d.:]+\] /);
  },
);

test.serial('a request that names no channel, or with another method, is refused', async (t) => {
  const world = await startWorld(t, redis);
  t.is((await call(world, world, '/subscribe')).status, 400);
  t.is((await call(world, world, '/psubscribe/', { method: 'POST' })).status, 400);
  const { status, headers } = await call(world, world, '/subscribe/x', { method: 'PUT' });
  t.is(status, 405);
  t.is(headers.get('allow'), 'GET, POST');
  t.is((await call(world, world, '/subscribe/x', { method: 'HEAD' })).status, 405);
});

test.serial('a dropped key ends its streams at once, and no others', async (t) => {
  const world = await startWorld(t, redis);
  const other = await addInstance(world, { port: redis.port });
  await signUp(redis, other);
  const ending = await openEvents(t, world, world, '/subscribe/drop');
  const staying = await openEvents(t, world, other, '/subscribe/drop');
  await Promise.all([ending.next(), staying.next()]);
  world.gateway.dropKey(world.key.id);
  t.deepEqual(await ending.rest(), [': the connection to Redis ended']);
  await redis.admin.publish('drop', 'still here');
  t.is(await staying.next(), 'message,drop,still here');
  world.gateway.dropInstance(other.instanceId);
  t.deepEqual(await staying.rest(), [': the connection to Redis ended']);
});

test.serial('a user that is removed from Redis ends its streams', async (t) => {
  const world = await startWorld(t, redis);
  const reader = await openEvents(t, world, world, '/subscribe/removed');
  await reader.next();
  await redis.deleteUser(world.key.id);
  t.is((await reader.rest()).length, 1);
});

test.serial('a reader who leaves leaves no connection to Redis', async (t) => {
  const world = await startWorld(t, redis);
  const reader = await openEvents(t, world, world, '/subscribe/leave');
  await reader.next();
  t.is(await countConnections(redis, world), 1);
  reader.leave();
  await waitForConnections(world, 0);
  t.pass();
});

test.serial(
  'streams of a key beyond their number are refused, and room is made by who leaves',
  async (t) => {
    const world = await startWorld(t, redis, { limits: { ownLinksPerKeyMax: 2 } });
    const [first] = await Promise.all([
      openEvents(t, world, world, '/subscribe/bound'),
      openEvents(t, world, world, '/subscribe/bound'),
    ]);
    const { status, headers, json } = await call(world, world, '/subscribe/bound');
    t.is(status, 503);
    t.truthy(headers.get('retry-after'));
    t.regex(json.error, /streams/);
    t.is((await post(world, world, ['PING'])).status, 200);
    first?.leave();
    const isRoomy = async (): Promise<true | undefined> => {
      const reader = await openEvents(t, world, world, '/subscribe/bound');
      return reader.status === 200 || undefined;
    };
    t.true(await pollUntil(isRoomy, patience));
  },
);

test.serial('the end of the gateway ends every stream and says so', async (t) => {
  const world = await startWorld(t, redis);
  const reader = await openEvents(t, world, world, '/subscribe/close');
  await reader.next();
  await world.gateway.close();
  t.deepEqual(await reader.rest(), [': the service is stopping']);
});

test.serial(
  'a slow reader is cut off; the others, and the commands of its key, go on',
  async (t) => {
    const world = await startWorld(t, redis);
    const channel = world.instanceId;
    const [slow, quick] = await Promise.all([
      openEvents(t, world, world, `/subscribe/${channel}`),
      openEvents(t, world, world, `/subscribe/${channel}`),
    ]);
    await Promise.all([slow.next(), quick.next()]);
    const message = 'm'.repeat(64 * 1024);
    let count = 0;
    while (!world.log().includes('the reader was too slow')) {
      if (++count > 2_000) return t.fail('the slow reader was never cut off');
      await redis.admin.publish(channel, message);
      t.is(await quick.next(), `message,${channel},${message}`);
    }
    t.is((await post(world, world, ['PING'])).json.result, 'PONG');
    await redis.admin.publish(channel, 'last');
    t.is(await quick.next(), `message,${channel},last`);
    await waitForConnections(world, 2);
  },
);

test.serial('no channel and no message is in the log', async (t) => {
  const world = await startWorld(t, redis);
  const reader = await openEvents(t, world, world, '/subscribe/secret-channel');
  await reader.next();
  await redis.admin.publish('secret-channel', 'secret-message');
  await reader.next();
  reader.leave();
  await pollUntil(async () => world.log().includes('the reader left') || undefined, patience);
  t.notRegex(world.log(), /secret-(channel|message)/);
  t.true(world.log().includes('SUBSCRIBE'));
});

test.serial('a restart of Redis ends its streams, and others can be opened after it', async (t) => {
  const world = await startWorld(t, redis);
  const reader = await openEvents(t, world, world, '/subscribe/restart');
  await reader.next();
  await redis.restart();
  t.deepEqual(await reader.rest(), [': the connection to Redis ended']);
  await signUp(redis, world);
  const another = await openEvents(t, world, world, '/subscribe/restart');
  t.is(await another.next(), 'subscribe,restart,1');
});
