import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { pollUntil } from '../../../src/lib/retry.ts';
import { DataKeyEntity } from '../../../src/store/entities/data-key.ts';
import type { RedisContainer } from '../../support/redis-container.ts';
import { addKey, type Client, encode, openClient } from './door.ts';
import { openRealDoor, signUp, startInstanceRedis } from './real-door.ts';

let redis: RedisContainer;

test.before(async () => {
  redis = await startInstanceRedis();
});

test.after.always(() => redis?.remove());

const otherKey = '-ERR this connection belongs to another key: open a new one for this key';
const wrongPass = '-WRONGPASS invalid username-password pair or user is disabled.';

async function openSignedIn(t: ExecutionContext, changes: Partial<{ rateLimit: number }> = {}) {
  const door = await openRealDoor(t, redis);
  if (changes.rateLimit !== undefined) {
    await door.orm.em.fork().nativeUpdate(DataKeyEntity, { id: door.keyId }, changes);
  }
  const client = await openClient(t, door.port);
  client.send(`AUTH ${door.secret}\r\n`);
  t.is(await client.readLine(), '+OK');
  return { ...door, ...client, signIn: () => signInTo(t, door) };
}

async function signInTo(
  t: ExecutionContext,
  { port, secret }: { port: number; secret: string },
): Promise<Client> {
  const client = await openClient(t, port);
  client.send(`AUTH ${secret}\r\n`);
  t.is(await client.readLine(), '+OK');
  return client;
}

async function readLines(client: Pick<Client, 'readLine'>, count: number): Promise<string[]> {
  const lines: string[] = [];
  while (lines.length < count) lines.push(await client.readLine());
  return lines;
}

test('over its rate a command is refused in its place, was not run, and the connection stays', async (t) => {
  const limit = 5;
  const { send, readLine, keyId } = await openSignedIn(t, { rateLimit: limit });
  const counter = `rate:${keyId}`;
  const refusal = `-ERR rate limit exceeded: this key allows ${limit} commands a second, try again in a second`;
  const count = 40;
  send(`INCR ${counter}\r\n`.repeat(count));
  const lines = await readLines({ readLine }, count);
  const ran = lines.filter((line) => line.startsWith(':'));
  t.deepEqual(
    ran,
    ran.map((_, index) => `:${index + 1}`),
  );
  // The time may have touched a second one.
  t.true(ran.length >= limit && ran.length <= 2 * limit, `${ran.length}`);
  t.true(lines.filter((line) => line === refusal).length === count - ran.length, lines.join());
  t.is(await redis.admin.get(counter), `${ran.length}`);
  await sleep(1_000);
  send(`INCR ${counter}\r\n`);
  t.is(await readLine(), `:${ran.length + 1}`);
});

test('a refused command leaves a transaction undone, and its long value nowhere', async (t) => {
  const { send, readLine, keyId } = await openSignedIn(t, { rateLimit: 2 });
  await sleep(1_000);
  const value = Buffer.alloc(3_000_000, 'v');
  send(Buffer.concat([encode('MULTI'), encode('SET', keyId, 'x'), encode('SET', keyId, value)]));
  t.deepEqual(
    (await readLines({ readLine }, 3)).map((line) => line.slice(0, 15)),
    ['+OK', '+QUEUED', '-ERR rate limit'],
  );
  await sleep(1_000);
  send('EXEC\r\n');
  t.regex(await readLine(), /^-EXECABORT /);
  t.is(await redis.admin.get(keyId), null);
});

test('a changed rate holds on open connections within a second or so', async (t) => {
  const { send, readLine, orm, keyId } = await openSignedIn(t);
  const set = async (rateLimit: number) => {
    await orm.em.fork().nativeUpdate(DataKeyEntity, { id: keyId }, { rateLimit });
  };
  const isRefused = async (): Promise<boolean> => {
    send('PING\r\n'.repeat(20));
    return (await readLines({ readLine }, 20)).some((line) => line.includes('rate limit'));
  };
  t.false(await isRefused());
  await set(3);
  const limits = { timeoutMs: 10_000, intervalMs: 100 };
  await pollUntil(async () => (await isRefused()) || undefined, limits);
  await set(1_000);
  await pollUntil(async () => !(await isRefused()) || undefined, limits);
  t.pass();
});

test('the same key may sign in again; another, and a wrong one, are refused in their place', async (t) => {
  const { send, readLine, orm, secret, keyId, instanceId } = await openSignedIn(t);
  const other = await addKey(orm, [instanceId]);
  await signUp(redis, other);
  const unknown = `sc_live_${'0'.repeat(32)}`;
  const cases: [string, string][] = [
    [`AUTH ${secret}`, '+OK'],
    [`AUTH default ${secret}`, '+OK'],
    [`"\\x61uth" ${keyId} ${secret}`, '+OK'],
    [`AUTH ${instanceId} ${secret}`, '+OK'],
    [`AUTH ${other.secret}`, otherKey],
    [`AUTH ${other.keyId} ${other.secret}`, otherKey],
    [`AUTH ${other.keyId} ${secret}`, wrongPass],
    [`AUTH ${unknown}`, wrongPass],
    ['AUTH', "-ERR wrong number of arguments for 'auth' command"],
    [`HELLO 2 AUTH ${other.keyId} ${other.secret}`, otherKey],
    [
      `HELLO 2 AUTH default ${secret} AUTH ${other.keyId} ${other.secret}`,
      '-ERR syntax error in AUTH or HELLO',
    ],
    ['HELLO 9', '-NOPROTO unsupported protocol version'],
    ['ACL WHOAMI', "-NOPERM this user has no permissions to run the 'acl|whoami' command"],
    ['PING', '+PONG'],
  ];
  send(cases.map(([request]) => `${request}\r\n`).join(''));
  const lines = await readLines({ readLine }, cases.length);
  for (const [index, [request, answer]] of cases.entries()) t.is(lines[index], answer, request);
  send('CLIENT INFO\r\n');
  await readLine();
  t.regex(await readLine(), new RegExp(` user=${keyId} `));
});

test('no name with a zero byte in it is a way around that', async (t) => {
  const { send, readLine, orm, instanceId } = await openSignedIn(t);
  const other = await addKey(orm, [instanceId]);
  await signUp(redis, other);
  const tries = 1_500;
  const names = Array.from({ length: tries }, (_, index) => `auth\0${index}`);
  send(Buffer.concat(names.map((name) => encode(name, other.keyId, other.secret))));
  const lines = await readLines({ readLine }, tries);
  t.deepEqual(new Set(lines), new Set([otherKey]));
});

test('after RESET nothing is allowed until the key signs in again', async (t) => {
  const { send, readLine, secret } = await openSignedIn(t);
  send(`RESET\r\nGET a\r\nAUTH ${secret}\r\nPING\r\n`);
  t.deepEqual(await readLines({ readLine }, 4), [
    '+RESET',
    '-NOAUTH Authentication required.',
    '+OK',
    '+PONG',
  ]);
});

test('a client that wants no replies gets no refusals, and one that subscribes gets them in place', async (t) => {
  const { send, readLine, orm, instanceId } = await openSignedIn(t);
  const { secret } = await addKey(orm, [instanceId]);
  const refused = `AUTH ${secret}\r\n`;
  send(`CLIENT REPLY SKIP\r\n${refused}PING\r\n`);
  t.is(await readLine(), '+PONG');
  send(`CLIENT REPLY OFF\r\n${refused}PING\r\nCLIENT REPLY ON\r\n${refused}`);
  t.deepEqual(await readLines({ readLine }, 2), ['+OK', otherKey]);
  send(`SUBSCRIBE news\r\n${refused}PING\r\n`);
  const lines = await readLines({ readLine }, 12);
  t.deepEqual(lines, [
    ...['*3', '$9', 'subscribe', '$4', 'news', ':1'],
    otherKey,
    ...['*2', '$4', 'pong', '$0', ''],
  ]);
});

test('what Redis does not take it says itself, and nothing behind it is run', async (t) => {
  const door = await openRealDoor(t, redis);
  const cases: [string, RegExp][] = [
    ['*1\r\n$-1\r\n', /invalid bulk length/],
    ['*x\r\n', /invalid multibulk length/],
    ['*2\r\n$4\r\nPING\r\n:1\r\n', /expected '\$', got ':'/],
    ['GET "a\r\n', /unbalanced quotes/],
    ['*1\r\nX', /expected '\$', got 'X'/],
    ['*99999999999999999999999', /invalid multibulk length/],
    // A line of a number ends at a return, wherever that is, for Redis.
    ['*1\n$4\nPING\n', /invalid multibulk length/],
    ['*2\r\n$3\nGET\n$1\nx\n', /invalid bulk length/],
    ['*2\r\n$4\r\nPiNgX\r\n', /expected '\$', got ' '/],
  ];
  for (const [bytes, answer] of cases) {
    const client = await signInTo(t, door);
    client.send(`SET ${door.keyId} 1\r\n${bytes}SET ${door.keyId} 2\r\n`);
    t.is(await client.readLine(), '+OK');
    t.regex(await client.readToEnd(), answer, bytes);
    t.is(await redis.admin.get(door.keyId), '1', bytes);
  }
});

test('of other clients a key sees nothing and ends none', async (t) => {
  const { send, readLine, keyId } = await openSignedIn(t);
  for (const request of ['CLIENT LIST', 'CLIENT KILL ID 1', 'CLIENT UNBLOCK 1', 'CLIENT PAUSE 1']) {
    send(`${request}\r\n`);
    t.regex(await readLine(), /^-NOPERM /, request);
  }
  for (const request of ['MONITOR', 'SLOWLOG GET', 'ACL LOG', 'ACL LIST', 'CONFIG GET *']) {
    send(`${request}\r\n`);
    t.regex(await readLine(), /^-NOPERM /, request);
  }
  send('CLIENT INFO\r\n');
  await readLine();
  const info = await readLine();
  t.is(info.split('id=').length, 2);
  t.true(info.includes(` user=${keyId} `));
});

// Before the others, whose set-up may hold this process up.
test.serial('an expired key ends its connections within a second', async (t) => {
  const door = await openSignedIn(t);
  const expiresAt = new Date(Date.now() + 2_500);
  await door.orm.em.fork().nativeUpdate(DataKeyEntity, { id: door.keyId }, { expiresAt });
  await door.readToEnd();
  const lateMs = Date.now() - expiresAt.getTime();
  // A second, and leave for a busy machine.
  t.true(lateMs >= 0 && lateMs < 3_000, `${lateMs} ms`);
  t.true(door.readLog().includes('the key has expired'));
});

test('what clients do is counted for the operator', async (t) => {
  const { edge, send, readLine, readToEnd, orm, keyId } = await openSignedIn(t);
  send(`PING\r\nAUTH wrong\r\nECHO hello\r\n`);
  await readLines({ readLine }, 4);
  const { counters, refusals, gauges, held, lows, peaks } = edge.readFigures();
  t.like(counters, { accepted: 1, opened: 1, commands: 3, bytesIn: 30 });
  t.is(refusals.sign_in_refused, 1);
  t.deepEqual(gauges, { connections: 1, signed_in_connections: 1 });
  // The first chunk of all is measured: one value, and its sum.
  for (const numbers of [held.requests, held.replies]) {
    t.is(
      numbers.slice(0, -1).reduce((sum, count) => sum + count, 0),
      1,
    );
    t.true((numbers.at(-1) ?? 0) > 0 && (numbers.at(-1) ?? 0) < 5);
  }
  t.deepEqual(lows, {});
  t.true((peaks.event_loop_delay_seconds ?? -1) >= 0);
  const key = await orm.em.fork().findOneOrFail(DataKeyEntity, { id: keyId });
  t.true(key.lastUsedAt instanceof Date);
  send('QUIT\r\n');
  await readToEnd();
});
