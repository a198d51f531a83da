/** What happens between clients of an instance happens through the door as well: one real Redis, several connections. */
import test, { type ExecutionContext } from 'ava';
import { pollUntil } from '../../../src/lib/retry.ts';
import type { RedisContainer } from '../../support/redis-container.ts';
import { type Client, encode, openClient } from './door.ts';
import { openRealDoor, type RealDoor, startInstanceRedis } from './real-door.ts';

const waitMs = 5_000;
let redis: RedisContainer;

test.before(async () => {
  redis = await startInstanceRedis();
});

test.after.always(() => redis?.remove());

async function signIn(t: ExecutionContext, { port, secret }: RealDoor, protocol: 2 | 3 = 2) {
  const client = await openClient(t, port);
  client.send(encode('HELLO', `${protocol}`, 'AUTH', 'default', secret));
  // The last thing that HELLO tells is a list of modules, which is empty.
  while ((await client.readLine()) !== '*0');
  return client;
}

/** Sends a command and waits for the answer, which is as long as this one. */
async function ask(client: Client, command: readonly string[], answer: string): Promise<string> {
  client.send(encode(...command));
  return await client.read(answer.length);
}

/** Waits until Redis has this many clients that wait in a blocking command. */
async function waitForBlocked(count: number): Promise<void> {
  const isSo = async (): Promise<true | undefined> =>
    (await redis.admin.info('clients')).includes(`blocked_clients:${count}\r\n`) || undefined;
  await pollUntil(isSo, { timeoutMs: waitMs, intervalMs: 20 });
}

for (const protocol of [2, 3] as const) {
  test.serial(
    `a message reaches a subscriber in RESP${protocol}, whoever publishes it`,
    async (t) => {
      const door = await openRealDoor(t, redis);
      const [subscriber, publisher] = [await signIn(t, door, protocol), await signIn(t, door)];
      const kind = protocol === 2 ? '*' : '>';
      const channel = `news${protocol}`;
      const subscribed = `${kind}3\r\n$9\r\nsubscribe\r\n$5\r\n${channel}\r\n:1\r\n`;
      t.is(await ask(subscriber, ['SUBSCRIBE', channel], subscribed), subscribed);
      const message = (text: string): string =>
        `${kind}3\r\n$7\r\nmessage\r\n$5\r\n${channel}\r\n$${text.length}\r\n${text}\r\n`;
      t.is(await ask(publisher, ['PUBLISH', channel, 'one'], ':1\r\n'), ':1\r\n');
      await redis.admin.publish(channel, 'two');
      const both = message('one') + message('two');
      t.is(await subscriber.read(both.length), both);
      const pong = protocol === 2 ? '*2\r\n$4\r\npong\r\n$0\r\n\r\n' : '+PONG\r\n';
      t.is(await ask(subscriber, ['PING'], pong), pong);
    },
  );
}

test.serial('a transaction does not run once another client changed what it watches', async (t) => {
  const door = await openRealDoor(t, redis);
  const [client, other] = [await signIn(t, door), await signIn(t, door)];
  t.is(await ask(client, ['WATCH', 'watched'], '+OK\r\n'), '+OK\r\n');
  t.is(await ask(other, ['SET', 'watched', 'changed'], '+OK\r\n'), '+OK\r\n');
  client.send(Buffer.concat([encode('MULTI'), encode('SET', 'watched', 'mine'), encode('EXEC')]));
  const undone = '+OK\r\n+QUEUED\r\n*-1\r\n';
  t.is(await client.read(undone.length), undone);
  t.is(await redis.admin.get('watched'), 'changed');
});

test.serial(
  'who waits for an element gets it, and what follows its command waits too',
  async (t) => {
    const door = await openRealDoor(t, redis);
    const [waiting, other] = [await signIn(t, door), await signIn(t, door)];
    waiting.send(Buffer.concat([encode('BLPOP', 'queue', '0'), encode('ECHO', 'behind')]));
    await waitForBlocked(1);
    t.is(await ask(other, ['RPUSH', 'queue', 'element'], ':1\r\n'), ':1\r\n');
    const all = '*2\r\n$5\r\nqueue\r\n$7\r\nelement\r\n$6\r\nbehind\r\n';
    t.is(await waiting.read(all.length), all);
  },
);

test.serial('who has gone while it waited takes no element with it', async (t) => {
  const door = await openRealDoor(t, redis);
  for (const leave of ['end', 'destroy', 'resetAndDestroy'] as const) {
    const waiting = await signIn(t, door);
    waiting.send(encode('BLPOP', 'left', '0'));
    await waitForBlocked(1);
    waiting.socket[leave]();
    await waitForBlocked(0);
    t.is(await redis.admin.rpush('left', 'element'), 1, leave);
    t.is(await redis.admin.lpop('left'), 'element');
  }
});

test.serial('a client that caches in RESP3 is told what others change', async (t) => {
  const door = await openRealDoor(t, redis);
  const [caching, other] = [await signIn(t, door, 3), await signIn(t, door)];
  t.is(await ask(caching, ['CLIENT', 'TRACKING', 'ON'], '+OK\r\n'), '+OK\r\n');
  t.is(await ask(caching, ['GET', 'cached'], '_\r\n'), '_\r\n');
  t.is(await ask(other, ['SET', 'cached', 'x'], '+OK\r\n'), '+OK\r\n');
  const told = '>2\r\n$10\r\ninvalidate\r\n*1\r\n$6\r\ncached\r\n';
  t.is(await caching.read(told.length), told);
});
