import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { createBodyReader } from '../../../src/gateway/body.ts';
import { AppError } from '../../../src/lib/errors.ts';
import { pollUntil } from '../../../src/lib/retry.ts';

/** A server that answers with the length of the body, or with the reader's error. */
async function startServer(t: ExecutionContext, bodyMax: number, arrivingMax: number) {
  const reader = createBodyReader(bodyMax, arrivingMax);
  const outcomes: string[] = [];
  const server = createServer(async (request, response) => {
    const outcome = await reader.read(request).then(
      (body) => `${body.length} bytes`,
      (error) => (error instanceof AppError ? error.code : 'something else'),
    );
    outcomes.push(outcome);
    response.end(outcome);
  }).listen(0, '127.0.0.1');
  t.teardown(() => server.close().closeAllConnections());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const open = async (head: string): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(`POST / HTTP/1.1\r\nHost: x\r\n${head}\r\n\r\n`);
    return socket;
  };
  return { url: `http://127.0.0.1:${port}/`, open, outcomes };
}

async function readAnswer(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  await once(socket, 'close');
  return text;
}

const send = async (url: string, body: string | Buffer): Promise<string> =>
  await (await fetch(url, { method: 'POST', body })).text();

test('a body comes whole, in one piece or in many, up to its bound', async (t) => {
  const { url, open } = await startServer(t, 1_000_000, 10_000_000);
  t.is(await send(url, ''), '0 bytes');
  t.is(await send(url, 'abc'), '3 bytes');
  t.is(await send(url, Buffer.alloc(1_000_000)), '1000000 bytes');
  t.is(await send(url, Buffer.alloc(1_000_001)), 'body_too_large');
  const socket = await open('Transfer-Encoding: chunked\r\nConnection: close');
  const answer = readAnswer(socket);
  for (let index = 0; index < 50; index++) socket.write('3\r\nabc\r\n');
  socket.write('0\r\n\r\n');
  t.regex(await answer, /150 bytes/);
});

test('a sender that asks whether it may send is told to go on', async (t) => {
  const { open } = await startServer(t, 100, 1_000);
  const socket = await open('Expect: 100-continue\r\nContent-Length: 3\r\nConnection: close');
  const [first] = await once(socket, 'data');
  t.regex(String(first), /^HTTP\/1\.1 100 Continue/);
  const answer = readAnswer(socket);
  socket.write('abc');
  t.regex(await answer, /3 bytes/);
});

const isBroken = (outcome: string): boolean => outcome === 'invalid_request';

async function until(holds: () => Promise<boolean>): Promise<void> {
  await pollUntil(async () => (await holds()) || undefined, { timeoutMs: 20_000, intervalMs: 10 });
}

test('bodies that break off give back what they held, and those on their way are bounded', async (t) => {
  const { url, open, outcomes } = await startServer(t, 1_000, 1_500);
  for (let index = 0; index < 5; index++) {
    const socket = await open('Content-Length: 1000');
    socket.write('x'.repeat(900));
    // Its bytes are held until it ends.
    await until(async () => (await send(url, 'y'.repeat(700))) === 'instance_unreachable');
    socket.destroy();
    await until(async () => outcomes.filter(isBroken).length === index + 1);
    t.is(await send(url, 'y'.repeat(1_000)), '1000 bytes');
  }
});

test('a sender that has gone before its body is asked for is told of like one that goes later', async (t) => {
  const reader = createBodyReader(1_000, 10_000);
  const { promise: outcome, resolve } = Promise.withResolvers<string>();
  const server = createServer((request) => {
    // Its key is looked up meanwhile.
    request.once('close', () =>
      setImmediate(() => reader.read(request).then(String, describe).then(resolve)),
    );
  }).listen(0, '127.0.0.1');
  const describe = (error: unknown): string => (error as AppError).code;
  t.teardown(() => server.close().closeAllConnections());
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc', () => {
    setTimeout(() => socket.destroy(), 50);
  });
  t.is(await Promise.race([outcome, sleep(5_000, 'nothing')]), 'invalid_request');
});
