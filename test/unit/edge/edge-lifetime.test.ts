import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { createEdge } from '../../../src/edge/edge.ts';
import { createDatabasePorts } from '../../../src/keys/database-ports.ts';
import { createLogger } from '../../../src/lib/logger.ts';
import { pollUntil } from '../../../src/lib/retry.ts';
import { addInstance, addKey, openDoorWithInstance, openStore, startStandIn } from './door.ts';

const wrongPass = '-WRONGPASS invalid username-password pair or user is disabled.';

test('dropKey ends the connections of that key, on both sides, and no others', async (t) => {
  const { client, edge, orm, secret, keyId, instanceId, standIn } = await openDoorWithInstance(t);
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
  const { client, edge, orm, secret, instanceId } = await openDoorWithInstance(t);
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
  const { client, edge, secret, keyId, standIn } = await openDoorWithInstance(t, {
    delayMs: 60_000,
  });
  const { send, readToEnd } = await client();
  send(`AUTH ${secret}\r\n`);
  const limits = { timeoutMs: 2_000, intervalMs: 5 };
  await pollUntil(async () => standIn.signIns.length === 1 || undefined, limits);
  edge.dropKey(keyId);
  t.is(await readToEnd(), '');
  await pollUntil(async () => standIn.sockets.size === 0 || undefined, limits);
});

test('a client that ends its side still gets the replies to what it sent', async (t) => {
  const { client, secret } = await openDoorWithInstance(t, { delayMs: 30 });
  const { socket, readToEnd } = await client();
  socket.end(`AUTH ${secret}\r\nlast words\r\n`);
  t.is(await readToEnd(), '+OK\r\nlast words\r\n');
});

test('a client that ends its side after a refused key gets the refusal and the end', async (t) => {
  const { client, secret } = await openDoorWithInstance(t, {
    delayMs: 30,
    answer: `${wrongPass}\r\n`,
  });
  const { socket, readToEnd } = await client();
  socket.end(`AUTH ${secret}\r\n`);
  t.is(await readToEnd(), `${wrongPass}\r\n`);
});

test('a client that leaves takes its instance connection with it', async (t) => {
  const { client, secret, standIn } = await openDoorWithInstance(t);
  const { send, readLine, socket } = await client();
  send(`AUTH ${secret}\r\n`);
  await readLine();
  socket.resetAndDestroy();
  const limits = { timeoutMs: 2_000, intervalMs: 5 };
  await pollUntil(async () => standIn.sockets.size === 0 || undefined, limits);
  t.pass();
});

test('an instance that goes away ends its clients, after what it had said', async (t) => {
  const { client, secret, standIn } = await openDoorWithInstance(t);
  const { send, readLine, readToEnd } = await client();
  send(`AUTH ${secret}\r\n`);
  await readLine();
  for (const socket of standIn.sockets) socket.end('-ERR going\r\n');
  t.is(await readToEnd(), '-ERR going\r\n');
});

test('a client that reads slowly holds its instance back, not the memory of the door', async (t) => {
  const { client, secret, standIn } = await openDoorWithInstance(t);
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
  const { client, edge, secret, port, standIn } = await openDoorWithInstance(t, {
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
  const logger = createLogger('silent');
  const edge = createEdge({ ports: createDatabasePorts({ orm, logger }, false), logger });
  t.teardown(() => edge.close());
  const host = '127.0.0.1';
  await t.throwsAsync(edge.listen({ host, port: { number: port, fixed: true } }), {
    message: /SWIFTCACHE_REDIS_PORT/,
  });
  const got = await edge.listen({ host, port: { number: port, fixed: false } });
  t.true(got > port && got < port + 100, `${got}`);
});
