import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { createEdge, type EdgeLimits } from '../../../src/edge/edge.ts';
import { createLogger } from '../../../src/lib/logger.ts';
import { pollUntil } from '../../../src/lib/retry.ts';
import { DataKeyEntity } from '../../../src/store/entities/data-key.ts';
import { addInstance, addKey, openClient, openDoor, openStore, startStandIn } from './door.ts';

type T = Parameters<typeof openDoor>[0];

/** A door with one running instance (a stand-in) and a key for it. */
async function prepare(
  t: T,
  options: { limits?: Partial<EdgeLimits>; answer?: string; delayMs?: number } = {},
) {
  const door = await openDoor(t, options.limits);
  const standIn = await startStandIn(t, options);
  const instanceId = await addInstance(door.orm, { port: standIn.port });
  const key = await addKey(door.orm, [instanceId]);
  return { ...door, ...key, standIn, instanceId, client: () => openClient(t, door.port) };
}

const wrongKey = `AUTH sc_live_${'0'.repeat(32)}\r\n`;
const wrongPass = '-WRONGPASS invalid username-password pair or user is disabled.';
const noAuth = '-NOAUTH Authentication required.';

test('the instance is signed in to as the ACL user of the key, with the secret given', async (t) => {
  const { client, secret, keyId, standIn } = await prepare(t);
  const { send, readLine } = await client();
  send(`AUTH ${secret}\r\n`);
  t.is(await readLine(), '+OK');
  t.deepEqual(standIn.signIns, [['AUTH', keyId, secret]]);
});

test("HELLO is sent on with its protocol and name, and Redis's answer comes back as it is", async (t) => {
  const answer = '%1\r\n$5\r\nproto\r\n:3\r\n';
  const { client, secret, keyId, standIn } = await prepare(t, { answer });
  const { send, read } = await client();
  send(`HELLO 3 SETNAME me AUTH default ${secret}\r\n`);
  t.is(await read(answer.length), answer);
  t.deepEqual(standIn.signIns, [['HELLO', '3', 'AUTH', keyId, secret, 'SETNAME', 'me']]);
});

test('what is pipelined behind AUTH reaches the instance whole and in order', async (t) => {
  const { client, secret } = await prepare(t, { delayMs: 50 });
  const { send, readLine, read } = await client();
  const early = randomBytes(3_000_000).toString('latin1');
  send(Buffer.from(`AUTH ${secret}\r\n${early}`, 'latin1'));
  send('the end');
  t.is(await readLine(), '+OK');
  t.is(await read(early.length), early);
  t.is(await read(7), 'the end');
});

test('AUTH split at every byte opens the instance, and the bytes behind it follow', async (t) => {
  const { client, secret } = await prepare(t);
  const { send, read } = await client();
  for (const byte of Buffer.from(`*2\r\n$4\r\nAUTH\r\n$40\r\n${secret}\r\n*1\r\n$4\r\nPING\r\n`)) {
    send(Buffer.from([byte]));
    await sleep(1);
  }
  t.is(await read(19), '+OK\r\n*1\r\n$4\r\nPING\r\n');
});

test('nothing reaches an instance before its key was accepted', async (t) => {
  const { client, standIn } = await prepare(t);
  const { send, readLine } = await client();
  send(`PING\r\n${wrongKey}SET a b\r\nHELLO 3\r\n`);
  t.is(await readLine(), noAuth);
  t.is(await readLine(), wrongPass);
  t.is(await readLine(), noAuth);
  t.regex(await readLine(), /^-NOAUTH HELLO must be called/);
  t.is(standIn.signIns.length, 0);
});

test('a refusal by Redis is given on word by word and the client stays signed out', async (t) => {
  const { client, secret, standIn } = await prepare(t, { answer: `${wrongPass}\r\n` });
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
  const { client, secret } = await prepare(t);
  const { send, readLine } = await client();
  send(wrongKey);
  t.is(await readLine(), wrongPass);
  send(`AUTH ${secret}\r\nhello\r\n`);
  t.is(await readLine(), '+OK');
  t.is(await readLine(), 'hello');
});

test('the tenth wrong key closes the connection, those of Redis counted too', async (t) => {
  const { client, secret } = await prepare(t, { answer: `${wrongPass}\r\n` });
  const { send, readToEnd } = await client();
  send(`${wrongKey.repeat(5)}${`AUTH ${secret}\r\n`.repeat(6)}`);
  t.is(await readToEnd(), `${wrongPass}\r\n`.repeat(10));
});

test('an instance that is not reachable gets LOADING, which clients try again', async (t) => {
  const { client, secret, orm } = await prepare(t);
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
  const limits = { instanceTimeoutMs: 100 };
  const { client, secret, standIn } = await prepare(t, { limits, delayMs: 60_000 });
  const { send, readLine } = await client();
  send(`AUTH ${secret}\r\n`);
  t.regex(await readLine(), /^-LOADING instance inst_\w+ does not answer/);
  t.is(standIn.signIns.length, 1);
});

test('a client that does not sign in is cut in time, even if it keeps on sending', async (t) => {
  const { client, readLog } = await prepare(t, { limits: { authenticationTimeoutMs: 150 } });
  const silent = await client();
  const busy = await client();
  const ticks = setInterval(() => busy.socket.destroyed || busy.send('\r\n'), 20);
  t.teardown(() => clearInterval(ticks));
  t.is(await silent.readToEnd(), '');
  await busy.readToEnd();
  t.is(readLog().split('no authentication in time').length - 1, 2);
});

test('a client that signed in is not cut by that time-out', async (t) => {
  const { client, secret } = await prepare(t, { limits: { authenticationTimeoutMs: 100 } });
  const { send, readLine } = await client();
  send(`AUTH ${secret}\r\n`);
  t.is(await readLine(), '+OK');
  await sleep(200);
  send('still here\r\n');
  t.is(await readLine(), 'still here');
});

test('a client that sends too much before it signs in gets an error and is cut', async (t) => {
  const { client } = await prepare(t);
  const { send, readToEnd } = await client();
  send('x'.repeat(70_000));
  t.is(await readToEnd(), '-ERR Protocol error: too big inline request\r\n');
});

test('a malformed request gets its error and the end', async (t) => {
  const { client } = await prepare(t);
  const { send, readToEnd } = await client();
  send('PING\r\n*1\r\nx\r\nPING\r\n');
  t.is(await readToEnd(), `${noAuth}\r\n-ERR Protocol error: expected '$', got 'x'\r\n`);
});

test('QUIT is answered and ends the connection; what follows it is not', async (t) => {
  const { client } = await prepare(t);
  const { send, readToEnd } = await client();
  send('RESET\r\nQUIT\r\nPING\r\n');
  t.is(await readToEnd(), '+RESET\r\n+OK\r\n');
});

test('an HTTP request is hung up on without an answer', async (t) => {
  const { client } = await prepare(t);
  const { send, readToEnd } = await client();
  send('POST / HTTP/1.1\r\nHost: x\r\n\r\n');
  t.is(await readToEnd(), '');
});

test('one client more than allowed is told so and closed; a place that is given back is free', async (t) => {
  const { client } = await prepare(t, { limits: { connectionsMax: 1 } });
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

test('dropKey ends the connections of that key, on both sides, and no others', async (t) => {
  const { client, edge, orm, secret, keyId, instanceId, standIn } = await prepare(t);
  const other = await addKey(orm, [instanceId]);
  const [dropped, kept] = [await client(), await client()];
  dropped.send(`AUTH ${secret}\r\n`);
  kept.send(`AUTH ${other.secret}\r\n`);
  await Promise.all([dropped.readLine(), kept.readLine()]);
  edge.dropKey(keyId);
  await dropped.readToEnd();
  kept.send('kept\r\n');
  t.is(await kept.readLine(), 'kept');
  t.is(standIn.sockets.size, 1);
});

test('dropInstance ends the connections to that instance and no others', async (t) => {
  const { client, edge, orm, secret, instanceId } = await prepare(t);
  const { port } = await startStandIn(t);
  const other = await addKey(orm, [await addInstance(orm, { port })]);
  const [dropped, kept] = [await client(), await client()];
  dropped.send(`AUTH ${secret}\r\n`);
  kept.send(`AUTH ${other.secret}\r\n`);
  await Promise.all([dropped.readLine(), kept.readLine()]);
  edge.dropInstance(instanceId);
  await dropped.readToEnd();
  kept.send('kept\r\n');
  t.is(await kept.readLine(), 'kept');
});

test('dropKey ends a connection whose instance is still being opened', async (t) => {
  const { client, edge, secret, keyId, standIn } = await prepare(t, { delayMs: 60_000 });
  const { send, readToEnd } = await client();
  send(`AUTH ${secret}\r\n`);
  const limits = { timeoutMs: 2_000, intervalMs: 5 };
  await pollUntil(async () => standIn.signIns.length === 1 || undefined, limits);
  edge.dropKey(keyId);
  t.is(await readToEnd(), '');
  await pollUntil(async () => standIn.sockets.size === 0 || undefined, limits);
});

test('a client that ends its side still gets the replies to what it sent', async (t) => {
  const { client, secret } = await prepare(t, { delayMs: 30 });
  const { socket, readToEnd } = await client();
  socket.end(`AUTH ${secret}\r\nlast words`);
  t.is(await readToEnd(), '+OK\r\nlast words');
});

test('a client that ends its side after a refused key gets the refusal and the end', async (t) => {
  const { client, secret } = await prepare(t, { delayMs: 30, answer: `${wrongPass}\r\n` });
  const { socket, readToEnd } = await client();
  socket.end(`AUTH ${secret}\r\n`);
  t.is(await readToEnd(), `${wrongPass}\r\n`);
});

test('a client that leaves takes its instance connection with it', async (t) => {
  const { client, secret, standIn } = await prepare(t);
  const { send, readLine, socket } = await client();
  send(`AUTH ${secret}\r\n`);
  await readLine();
  socket.resetAndDestroy();
  const limits = { timeoutMs: 2_000, intervalMs: 5 };
  await pollUntil(async () => standIn.sockets.size === 0 || undefined, limits);
  t.pass();
});

test('an instance that goes away ends its clients, after what it had said', async (t) => {
  const { client, secret, standIn } = await prepare(t);
  const { send, readLine, readToEnd } = await client();
  send(`AUTH ${secret}\r\n`);
  await readLine();
  for (const socket of standIn.sockets) socket.end('-ERR going\r\n');
  t.is(await readToEnd(), '-ERR going\r\n');
});

test('a client that reads slowly holds its instance back, not the memory of the door', async (t) => {
  const { client, secret, standIn } = await prepare(t);
  const { send, readLine, socket } = await client();
  send(`AUTH ${secret}\r\n`);
  await readLine();
  socket.pause();
  const [upstream] = standIn.sockets;
  if (!upstream) return t.fail();
  const block = randomBytes(1_000_000);
  const sent = createHash('sha256');
  for (let count = 0; count < 64; count += 1) {
    sent.update(block);
    upstream.write(block);
  }
  await sleep(300);
  // Most of the 64 MB must still be with the instance: the door and the kernel hold a few.
  t.true(upstream.writableLength > 40_000_000, `${upstream.writableLength}`);
  const received = createHash('sha256');
  let length = 0;
  socket.removeAllListeners('data').on('data', (text: string) => {
    received.update(text, 'latin1');
    length += text.length;
  });
  socket.resume();
  await pollUntil(async () => length === 64_000_000 || undefined, {
    timeoutMs: 20_000,
    intervalMs: 10,
  });
  t.is(received.digest('hex'), sent.digest('hex'));
});

test('close ends idle, signed-in and opening connections in bounded time and frees the port', async (t) => {
  const { client, edge, secret, port, standIn } = await prepare(t, {
    limits: { closeGraceMs: 200 },
  });
  const [idle, open, stuck] = [await client(), await client(), await client()];
  for (const { send, readLine } of [open, stuck]) {
    send(`AUTH ${secret}\r\n`);
    await readLine();
  }
  stuck.socket.pause();
  for (const upstream of standIn.sockets) upstream.write(Buffer.alloc(16_000_000));
  const startedAtMs = performance.now();
  await edge.close();
  t.true(performance.now() - startedAtMs < 2_000);
  await idle.readToEnd();
  const again = createServer().listen(port, '127.0.0.1');
  await once(again, 'listening');
  again.close();
});

test('a fixed port that is taken is an error naming the setting; another one is passed over', async (t) => {
  const orm = await openStore(t);
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.teardown(() => taken.close());
  const { port } = taken.address() as { port: number };
  const edge = createEdge({ orm, logger: createLogger('silent') });
  t.teardown(() => edge.close());
  const host = '127.0.0.1';
  await t.throwsAsync(edge.listen({ host, port: { number: port, fixed: true } }), {
    message: /SWIFTCACHE_REDIS_PORT/,
  });
  const got = await edge.listen({ host, port: { number: port, fixed: false } });
  t.true(got > port && got < port + 100, `${got}`);
});

test("a key's last use is written, and again only after a minute", async (t) => {
  const { client, secret, keyId, orm } = await prepare(t);
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
  const { client, secret, keyId, instanceId, readLog } = await prepare(t);
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
