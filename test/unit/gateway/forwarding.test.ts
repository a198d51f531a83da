/** How a gateway process writes the requests that it passes on. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { createForwarder } from '../../../src/forwarding.ts';

test("a caller's address stands before all headers, so that their number cannot push it out", async (t) => {
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
  const { port } = front.address() as AddressInfo;
  t.is((await fetch(`http://127.0.0.1:${port}/x`)).status, 204);
  t.is(heads[0]?.split('\r\n')[1], 'swiftcache-peer-address: 127.0.0.1');
});
