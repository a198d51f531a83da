/** How long a body may take: an upload as long as it goes on, everything else not. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { boundBodies, readUpload } from '../../../src/http/body-time.ts';

const timeoutMs = 300;
const pieces = 8;
const pieceMs = 100;

async function serve(
  t: ExecutionContext,
  handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<number> {
  const server = createServer((incoming, response) => {
    handle(incoming, response).catch((error) => response.writeHead(422).end(error.message));
  });
  boundBodies(server, timeoutMs);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

/** Sends a body piece by piece and gives the answer. */
async function drip(port: number, count: number, isEnded = true): Promise<string> {
  const outgoing = request({ port, host: '127.0.0.1', method: 'POST' });
  const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>;
  answered.catch(() => {});
  for (let i = 0; i < count && !outgoing.destroyed; i += 1) {
    outgoing.write('x');
    await sleep(pieceMs);
  }
  if (isEnded) outgoing.end();
  const [response] = await answered;
  const text = (await buffer(response)).toString();
  outgoing.destroy();
  return `${response.statusCode} ${text}`;
}

const take = (silenceMs: number) => async (incoming: IncomingMessage, response: ServerResponse) => {
  const body = await buffer(Readable.from(readUpload(incoming, silenceMs), { objectMode: false }));
  response.end(String(body.length));
};

test('a body that does not arrive in time is cut off', async (t) => {
  const port = await serve(t, async (incoming, response) => {
    response.end(String((await buffer(incoming)).length));
  });
  t.is(await drip(port, 1), '200 1');
  await t.throwsAsync(drip(port, pieces));
});

test('an upload goes on for as long as its bytes arrive', async (t) => {
  const port = await serve(t, take(5_000));
  t.is(await drip(port, pieces), `200 ${pieces}`);
});

test('an upload that falls silent is answered and not waited for', async (t) => {
  const port = await serve(t, take(200));
  t.is(await drip(port, 1, false), '422 no byte of the body arrived for 200 ms');
});
