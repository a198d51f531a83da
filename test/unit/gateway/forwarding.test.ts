/** How a gateway process writes the requests that it passes on. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createForwarder } from '../../../src/forwarding.ts';
import { sendRaw } from './harness.ts';

/** A front that passes on to a service, which answers 204 and keeps the heads it was sent. */
async function start(t: ExecutionContext): Promise<{ port: number; heads: string[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'swiftcache-'));
  const heads: string[] = [];
  const service = createServer((socket) => {
    socket.once('data', (chunk) => {
      heads.push(String(chunk));
      socket.end('HTTP/1.1 204 No Content\r\n\r\n');
    });
  });
  await new Promise<void>((resolve) => service.listen(join(folder, 'service'), resolve));
  const front = createHttpServer(createForwarder(join(folder, 'service')));
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    front.closeAllConnections();
    front.close();
    service.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { port: (front.address() as AddressInfo).port, heads };
}

test("a caller's address stands before all headers, so that their number cannot push it out", async (t) => {
  const { port, heads } = await start(t);
  t.is((await fetch(`http://127.0.0.1:${port}/x`)).status, 204);
  t.is(heads[0]?.split('\r\n')[1], 'swiftcache-peer-address: 127.0.0.1');
});

test('trailers that are announced without a body in chunks are not passed on', async (t) => {
  const { port, heads } = await start(t);
  const request = 'GET /x HTTP/1.1\r\nHost: h\r\nTrailer: X-Sum\r\nConnection: close\r\n\r\n';
  t.is((await sendRaw(port, request)).status, 204);
  t.notRegex(heads[0] ?? '', /trailer/i);
});

test('a request of HTTP/1.0, which may name no host, is passed on as one of 1.1 that is whole', async (t) => {
  const { port, heads } = await start(t);
  t.is((await sendRaw(port, 'GET /health HTTP/1.0\r\n\r\n')).status, 204);
  t.regex(heads[0] ?? '', /\r\nHost: \r\n/);
});

test('a request without a body is passed on as one', async (t) => {
  const { port, heads } = await start(t);
  for (const method of ['POST', 'GET']) {
    const request = `${method} /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`;
    t.is((await sendRaw(port, request)).status, 204);
  }
  t.regex(heads[0] ?? '', /\r\nContent-Length: 0\r\n/);
  t.notRegex(heads.join(), /transfer-encoding/i);
  t.notRegex(heads[1] ?? '', /content-length/i);
});
