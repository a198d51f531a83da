import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { pollUntil } from '../../../src/lib/retry.ts';
import { DataKeyEntity } from '../../../src/store/entities/data-key.ts';
import { addInstance, addKey, encode, openDoorWithInstance } from './door.ts';

const wrongKey = `AUTH sc_live_${'0'.repeat(32)}\r\n`;
const wrongPass = '-WRONGPASS invalid username-password pair or user is disabled.';
const noAuth = '-NOAUTH Authentication required.';

test('the instance is signed in to as the ACL user of the key, with the secret given', async (t) => {
  const { client, secret, keyId, standIn } = await openDoorWithInstance(t);
  const { send, readLine } = await client();
  send(`AUTH ${secret}\r\n`);
  t.is(await readLine(), '+OK');
  t.deepEqual(standIn.signIns, [['AUTH', keyId, secret]]);
});

test("HELLO is sent on with its protocol and name, and Redis's answer comes back as it is", async (t) => {
  const answer = '%1\r\n$5\r\nproto\r\n:3\r\n';
  const { client, secret, keyId, standIn } = await openDoorWithInstance(t, { answer });
  const { send, read } = await client();
  send(`HELLO 3 SETNAME me AUTH default ${secret}\r\n`);
  t.is(await read(answer.length), answer);
  t.deepEqual(standIn.signIns, [['HELLO', '3', 'AUTH', keyId, secret, 'SETNAME', 'me']]);
});

test('what is pipelined behind AUTH reaches the instance whole and in order', async (t) => {
  const { client, secret } = await openDoorWithInstance(t, { delayMs: 50 });
  const { send, readLine, read } = await client();
  const early = encode('SET', 'a', randomBytes(3_000_000)).toString('latin1');
  send(Buffer.from(`AUTH ${secret}\r\n${early}`, 'latin1'));
  send('PING the end\r\n');
  t.is(await readLine(), '+OK');
  t.is(await read(early.length), early);
  t.is(await read(14), 'PING the end\r\n');
});

test('AUTH split at every byte opens the instance, and the bytes behind it follow', async (t) => {
  const { client, secret } = await openDoorWithInstance(t);
  const { send, read } = await client();
  for (const byte of Buffer.from(`*2\r\n$4\r\nAUTH\r\n$40\r\n${secret}\r\n*1\r\n$4\r\nPING\r\n`)) {
    send(Buffer.from([byte]));
    await sleep(1);
  }
  t.is(await read(19), '+OK\r\n*1\r\n$4\r\nPING\r\n');
});

test('nothing reaches an instance before its key was accepted', async (t) => {
  const { client, standIn } = await openDoorWithInstance(t);
  const { send, readLine } = await client();
  send(`PING\r\n${wrongKey}SET a b\r\nHELLO 3\r\n`);
  t.is(await readLine(), noAuth);
  t.is(await readLine(), wrongPass);
  t.is(await readLine(), noAuth);
  t.regex(await readLine(), /^-NOAUTH HELLO must be called/);
  t.is(standIn.signIns.length, 0);
});

test('a refusal by Redis is given on word by word and the client stays signed out', async (t) => {
  const { client, secret, standIn } = await openDoorWithInstance(t, { answer: `${wrongPass}\r\n` });
  const { send, readLine } = await client();
  send(`AUTH ${secret}\r\nGET a\r\n`);
  t.is(await readLine(), wrongPass);
  t.is(await readLine(), noAuth);
  await pollUntil(async () => standIn.sockets.size === 0 || undefined, {
    timeoutMs: 2_000,
    intervalMs: 5,
  });
  t.pass();
});

test('after a wrong key the connection stays, and the right key opens it', async (t) => {
  const { client, secret } = await openDoorWithInstance(t);
  const { send, readLine } = await client();
  send(wrongKey);
  t.is(await readLine(), wrongPass);
  send(`AUTH ${secret}\r\nhello\r\n`);
  t.is(await readLine(), '+OK');
  t.is(await readLine(), 'hello');
});

test('the tenth wrong key closes the connection, those of Redis counted too', async (t) => {
  const { client, secret } = await openDoorWithInstance(t, { answer: `${wrongPass}\r\n` });
  const { send, readToEnd } = await client();
  send(`${wrongKey.repeat(5)}${`AUTH ${secret}\r\n`.repeat(6)}`);
  t.is(await readToEnd(), `${wrongPass}\r\n`.repeat(10));
});

test('an instance that is not reachable gets LOADING, which clients try again', async (t) => {
  const { client, secret, orm } = await openDoorWithInstance(t);
  const free = createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const { port } = free.address() as { port: number };
  free.close();
  await once(free, 'close');
  const lost = await addKey(orm, [await addInstance(orm, { port })]);
  const { send, readLine } = await client();
  send(`AUTH ${lost.secret}\r\n`);
  t.regex(await readLine(), /^-LOADING instance inst_\w+ does not answer, try again$/);
  send(`AUTH ${secret}\r\n`);
  t.is(await readLine(), '+OK');
});

test('an instance that takes the connection and says nothing is given up in time', async (t) => {
  const limits = { instanceTimeoutMs: 1_000 };
  const { client, secret, standIn } = await openDoorWithInstance(t, { limits, delayMs: 60_000 });
  const { send, readLine } = await client();
  send(`AUTH ${secret}\r\n`);
  t.regex(await readLine(), /^-LOADING instance inst_\w+ does not answer/);
  t.is(standIn.signIns.length, 1);
});

test('a client that does not sign in is cut in time, even if it keeps on sending', async (t) => {
  const { client, readLog } = await openDoorWithInstance(t, {
    limits: { authenticationTimeoutMs: 150 },
  });
  const silent = await client();
  const busy = await client();
  const ticks = setInterval(() => busy.socket.destroyed || busy.send('\r\n'), 20);
  t.teardown(() => clearInterval(ticks));
  t.is(await silent.readToEnd(), '');
  await busy.readToEnd();
  t.is(readLog().split('no authentication in time').length - 1, 2);
});

test('a client that signed in is not cut by that time-out', async (t) => {
  const { client, secret } = await openDoorWithInstance(t, {
    limits: { authenticationTimeoutMs: 1_000 },
  });
  const { send, readLine } = await client();
  send(`AUTH ${secret}\r\n`);
  t.is(await readLine(), '+OK');
  await sleep(1_200);
  send('still here\r\n');
  t.is(await readLine(), 'still here');
});

test('a client that sends too much before it signs in gets an error and is cut', async (t) => {
  const { client } = await openDoorWithInstance(t);
  const { send, readToEnd } = await client();
  send('x'.repeat(70_000));
  t.is(await readToEnd(), '-ERR Protocol error: too big inline request\r\n');
});

test('a malformed request gets its error and the end', async (t) => {
  const { client } = await openDoorWithInstance(t);
  const { send, readToEnd } = await client();
  send('PING\r\n*1\r\nx\r\nPING\r\n');
  t.is(await readToEnd(), `${noAuth}\r\n-ERR Protocol error: expected '$', got 'x'\r\n`);
});

test('QUIT is answered and ends the connection; what follows it is not', async (t) => {
  const { client } = await openDoorWithInstance(t);
  const { send, readToEnd } = await client();
  send('RESET\r\nQUIT\r\nPING\r\n');
  t.is(await readToEnd(), '+RESET\r\n+OK\r\n');
});

test('an HTTP request is hung up on without an answer', async (t) => {
  const { client } = await openDoorWithInstance(t);
  const { send, readToEnd } = await client();
  send('POST / HTTP/1.1\r\nHost: x\r\n\r\n');
  t.is(await readToEnd(), '');
});

test('one client more than allowed is told so and closed; a place that is given back is free', async (t) => {
  const { client } = await openDoorWithInstance(t, { limits: { connectionsMax: 1 } });
  const first = await client();
  first.send('PING\r\n');
  await first.readLine();
  t.is(await (await client()).readToEnd(), '-ERR max number of clients reached\r\n');
  first.send('QUIT\r\n');
  await first.readToEnd();
  first.socket.end();
  await pollUntil(
    async () => {
      const next = await client();
      next.send('PING\r\n');
      return (await next.readLine()) === noAuth || undefined;
    },
    { timeoutMs: 2_000, intervalMs: 10 },
  );
  t.pass();
});

test("a key's last use is written, and again only after a minute", async (t) => {
  const { client, secret, keyId, orm } = await openDoorWithInstance(t);
  const readLastUse = async () =>
    (await orm.em.fork().findOneOrFail(DataKeyEntity, { id: keyId })).lastUsedAt?.getTime();
  const signIn = async () => {
    const { send, readLine } = await client();
    send(`AUTH ${secret}\r\n`);
    t.is(await readLine(), '+OK');
  };
  await signIn();
  const first = await pollUntil(readLastUse, { timeoutMs: 2_000, intervalMs: 5 });
  await signIn();
  await sleep(100);
  t.is(await readLastUse(), first);
});

test('the log names client, key and instance, and never a secret or a value', async (t) => {
  const { client, secret, keyId, instanceId, readLog } = await openDoorWithInstance(t);
  const { send, readLine, socket } = await client();
  send(`AUTH hunter2user hunter2pass\r\nAUTH ${secret}\r\nSET hunter2key hunter2value\r\n`);
  for (let count = 0; count < 3; count += 1) await readLine();
  socket.destroy();
  const limits = { timeoutMs: 2_000, intervalMs: 5 };
  await pollUntil(async () => readLog().includes('connection closed') || undefined, limits);
  const log = readLog();
  const closed = log.split('\n').find((line) => line.includes('connection closed')) ?? '{}';
  t.like(JSON.parse(closed), { keyId, instanceId });
  t.regex(closed, /"client":"127\.0\.0\.1:\d+".*"bytesIn":\d+,"bytesOut":\d+,"durationMs":\d+/);
  t.true(log.includes('"reason":"no such key"'));
  t.false(log.includes('hunter2') || log.includes(secret) || log.includes('sc_live_'));
});
