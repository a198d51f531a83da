import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { createFailedSignIns } from '../../../src/edge/failed-sign-ins.ts';
import { createKeyUses } from '../../../src/edge/key-uses.ts';
import type { KeyTerms } from '../../../src/keys/principals.ts';
import { pollUntil } from '../../../src/lib/retry.ts';
import { InstanceEntity } from '../../../src/store/entities/instance.ts';
import { openDoorWithInstance } from './door.ts';

const wrongKey = `AUTH sc_live_${'0'.repeat(32)}\r\n`;
const patience = { timeoutMs: 20_000, intervalMs: 20 };

function terms(id: string, organizationId = 'org_a', connectionsMax = 4): KeyTerms {
  const key = { id, organizationId, rateLimit: 1_000, expiresAt: null };
  return { key, requestsPerSecond: 10, connectionsMax };
}

test("a key has half of its plan's connections at most, and all keys together all of them", (t) => {
  const uses = createKeyUses();
  const join = (id: string) => {
    const joined = uses.join(terms(id));
    return 'code' in joined ? joined.message : joined;
  };
  const first = join('key_a');
  t.not(typeof first, 'string');
  join('key_a');
  t.regex(join('key_a') as string, /^max number of clients reached: this key may have 2$/);
  join('key_b');
  join('key_b');
  t.regex(join('key_c') as string, /^max number of clients reached: the plan .* allows 4$/);
  t.false('code' in uses.join(terms('key_d', 'org_b')));
  if (typeof first !== 'string') uses.leave(first);
  t.not(typeof join('key_c'), 'string');
  t.deepEqual(uses.list(), ['key_a', 'key_b', 'key_d', 'key_c']);
});

test('a key in use is used on its new terms at once', (t) => {
  const uses = createKeyUses();
  const use = uses.join(terms('key_a'));
  if ('code' in use) return t.fail();
  const changed = { ...terms('key_a'), requestsPerSecond: 99 };
  uses.renew([changed, terms('key_of_nobody')]);
  t.is(use.terms, changed);
  uses.leave(use);
  t.deepEqual(uses.list(), []);
});

test('who fails often is slowed, then refused until the minute is over, and nobody else is', (t) => {
  let nowMs = 0;
  const failures = createFailedSignIns({ failuresBeforeSlow: 2, failuresMax: 5 }, () => nowMs);
  const delays = [1, 2, 3, 4].map(() => failures.note('192.0.2.1'));
  t.deepEqual(delays, [0, 0, 100, 200]);
  t.is(failures.readRefusedS('192.0.2.1'), 0);
  failures.note('192.0.2.1');
  nowMs = 20_000;
  t.is(failures.readRefusedS('192.0.2.1'), 40);
  t.is(failures.readRefusedS('192.0.2.2'), 0);
  nowMs = 60_000;
  t.is(failures.readRefusedS('192.0.2.1'), 0);
});

test('an address that has failed too often is refused even with the right key', async (t) => {
  const limits = { failuresMax: 3 };
  const { client, secret } = await openDoorWithInstance(t, { limits });
  const { send, readLine } = await client();
  send(wrongKey.repeat(3));
  for (let count = 0; count < 3; count += 1) t.regex(await readLine(), /^-WRONGPASS /);
  send(`AUTH ${secret}\r\n`);
  t.regex(await readLine(), /^-ERR too many failed authentications .* try again in \d+ s$/);
});

test('a sign-in waits for an instance that is on its way, and is let in when it serves', async (t) => {
  const limits = { instanceWaitMs: 60_000, authenticationTimeoutMs: 60_000 };
  const { client, secret, orm, instanceId } = await openDoorWithInstance(t, { limits });
  const set = (status: 'RESTARTING' | 'RUNNING') =>
    orm.em.fork().nativeUpdate(InstanceEntity, { id: instanceId }, { status });
  await set('RESTARTING');
  const { send, readLine } = await client();
  send(`AUTH ${secret}\r\nPING\r\n`);
  const answered = readLine();
  t.is(await Promise.race([answered, sleep(600, 'waiting')]), 'waiting');
  await set('RUNNING');
  t.is(await answered, '+OK');
  t.is(await readLine(), 'PING');
});

test('a client that leaves what waits for it unread is closed, and the log says why', async (t) => {
  const limits = { unreadTimeoutMs: 300 };
  const { client, secret, standIn, readLog } = await openDoorWithInstance(t, { limits });
  const { send, readLine, socket } = await client();
  send(`AUTH ${secret}\r\n`);
  await readLine();
  socket.pause();
  for (const upstream of standIn.sockets) upstream.write(Buffer.alloc(32_000_000));
  await pollUntil(async () => standIn.sockets.size === 0 || undefined, patience);
  t.true(readLog().includes('replies are not read'));
});

test('a client that reads slowly, but reads, is not', async (t) => {
  const limits = { unreadTimeoutMs: 2_000 };
  const { client, secret, standIn, readLog } = await openDoorWithInstance(t, { limits });
  const { send, readLine, read, socket } = await client();
  send(`AUTH ${secret}\r\n`);
  await readLine();
  const size = 16_000_000;
  for (const upstream of standIn.sockets) upstream.write(Buffer.alloc(size));
  const breaks = setInterval(() => {
    socket.pause();
    setTimeout(() => socket.resume(), 20);
  }, 40);
  t.teardown(() => clearInterval(breaks));
  t.is((await read(size)).length, size);
  t.false(readLog().includes('replies are not read'));
});

test('a silent connection is ended only where there is a bound, and after it', async (t) => {
  const limits = { idleTimeoutMs: 700 };
  const { client, secret, edge, readLog } = await openDoorWithInstance(t, { limits });
  const [silent, talking] = [await client(), await client()];
  for (const { send, readLine } of [silent, talking]) {
    send(`AUTH ${secret}\r\n`);
    t.is(await readLine(), '+OK');
  }
  const words = setInterval(() => talking.send('PING\r\n'), 100);
  t.teardown(() => clearInterval(words));
  await silent.readToEnd();
  t.true(readLog().includes('"reason":"idle"'));
  await talking.readLine();
  t.like(edge.readFigures(), { gauges: { signed_in_connections: 1 }, refusals: { idle: 1 } });
});

test('one address has a part of the connections before it has signed in, and all after', async (t) => {
  const limits = { connectionsMax: 6, unknownShareOfAddress: 0.3 };
  const { client, secret, edge } = await openDoorWithInstance(t, { limits });
  for (let count = 0; count < 3; count += 1) {
    const { send, readLine } = await client();
    send(`AUTH ${secret}\r\n`);
    t.is(await readLine(), '+OK');
  }
  await client();
  await client();
  await pollUntil(async () => edge.readFigures().gauges.connections === 5 || undefined, patience);
  t.is(await (await client()).readLine(), '-ERR max number of clients reached');
  t.is(edge.readFigures().refusals.too_many_connections, 1);
});
