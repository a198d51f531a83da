/** What the door itself holds a signed-in connection to: its key, and the rates of key and plan. */
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { DataKeyEntity } from '../../../src/store/entities/data-key.ts';
import { OrganizationEntity } from '../../../src/store/entities/organization.ts';
import type { RedisContainer } from '../../support/redis-container.ts';
import { addKey, type Client, openClient } from './door.ts';
import {
  type DoorKey,
  openRealDoor,
  type RealDoor,
  signUp,
  startInstanceRedis,
} from './real-door.ts';

let redis: RedisContainer;
test.before(async () => {
  redis = await startInstanceRedis();
});
test.after.always(async () => await redis?.remove());

/** Becomes `test.serial` with the door that counts requests. */
const row = test.serial.skip;
const keyRate = 5;
const keyExcess = /^-ERR rate limit exceeded: this key allows 5 commands a second/;
const planExcess = /^-ERR rate limit exceeded: the plan of this key's organization allows 1000/;
const anotherKey = /^-ERR this connection belongs to another key/;

async function addLimitedKey(door: RealDoor, changes: object = {}): Promise<DoorKey> {
  const key = await addKey(door.orm, [door.instanceId]);
  await door.orm.em.fork().nativeUpdate(DataKeyEntity, { id: key.keyId }, changes);
  await signUp(redis, key);
  return key;
}

async function signIn(t: ExecutionContext, port: number, secret: string): Promise<Client> {
  const client = await openClient(t, port);
  client.send(`AUTH ${secret}\r\n`);
  t.is(await client.readLine(), '+OK');
  return client;
}

/** Sends so many commands at once; gives which of them were refused, each reply in its place. */
async function sendNumbers(
  t: ExecutionContext,
  { send, readLine }: Client,
  count: number,
  excess: RegExp,
): Promise<{ refused: number[]; seconds: number }> {
  const startedMs = performance.now();
  const numbers = Array.from({ length: count }, (_, number) => number);
  send(numbers.map((number) => `ECHO ${number}\r\n`).join(''));
  const refused: number[] = [];
  for (const number of numbers) {
    const line = await readLine();
    if (line.startsWith('-')) {
      t.regex(line, excess);
      refused.push(number);
      continue;
    }
    t.is(await readLine(), String(number));
  }
  // A second of the meter may begin and end within: one more than those that passed whole.
  return { refused, seconds: Math.ceil((performance.now() - startedMs) / 1_000) + 1 };
}

row('a key over its rate is refused command by command and keeps its connection', async (t) => {
  const door = await openRealDoor(t, redis);
  const { secret } = await addLimitedKey(door, { rateLimit: keyRate });
  const client = await signIn(t, door.port, secret);
  const { refused, seconds } = await sendNumbers(t, client, 40, keyExcess);
  t.true(refused.length >= 40 - keyRate * seconds && refused.length < 40, `${refused.length}`);
  await sleep(1_100);
  client.send('PING\r\n');
  t.is(await client.readLine(), '+PONG');
  // Another key of the instance has nothing to do with it.
  const other = await signIn(t, door.port, door.secret);
  t.deepEqual((await sendNumbers(t, other, 40, keyExcess)).refused, []);
});

row('connections of a key share its rate', async (t) => {
  const door = await openRealDoor(t, redis);
  const { secret } = await addLimitedKey(door, { rateLimit: keyRate });
  const clients = [await signIn(t, door.port, secret), await signIn(t, door.port, secret)];
  await sleep(1_100);
  const sent = await Promise.all(clients.map((client) => sendNumbers(t, client, 20, keyExcess)));
  const refused = sent.reduce((sum, row) => sum + row.refused.length, 0);
  const seconds = Math.max(...sent.map((row) => row.seconds));
  t.true(refused >= 40 - keyRate * seconds, `${refused}`);
});

row('the rate of a plan holds over all keys', async (t) => {
  const door = await openRealDoor(t, redis);
  await door.orm.em.fork().nativeUpdate(OrganizationEntity, {}, { plan: 'free' });
  const other = await addLimitedKey(door);
  const secrets = [door.secret, other.secret];
  const clients = await Promise.all(secrets.map((secret) => signIn(t, door.port, secret)));
  const sent = await Promise.all(
    clients.map((client) => sendNumbers(t, client, 4_000, planExcess)),
  );
  const refused = sent.reduce((sum, row) => sum + row.refused.length, 0);
  const seconds = Math.max(...sent.map((row) => row.seconds));
  t.true(refused >= 8_000 - 1_000 * seconds, `${refused} in ${seconds} s`);
});

row('another key gets in neither within a transaction nor after RESET', async (t) => {
  const door = await openRealDoor(t, redis);
  const other = await addLimitedKey(door);
  const { send, readLine } = await signIn(t, door.port, door.secret);
  send(`MULTI\r\nAUTH ${other.secret}\r\nPING\r\nEXEC\r\n`);
  t.is(await readLine(), '+OK');
  t.regex(await readLine(), anotherKey);
  t.is(await readLine(), '+QUEUED');
  t.regex(await readLine(), /^-EXECABORT /);
  send(`RESET\r\nAUTH ${other.secret}\r\nPING\r\n`);
  t.is(await readLine(), '+RESET');
  t.regex(await readLine(), anotherKey);
  t.regex(await readLine(), /^-NOAUTH /);
});
