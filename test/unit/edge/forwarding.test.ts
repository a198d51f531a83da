/** What passes between a client and its instance, by its own parts: pauses that no client can be made to see. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { Forwarding } from '../../../src/edge/forwarding.ts';
import { pollUntil } from '../../../src/lib/retry.ts';

const patience = { timeoutMs: 10_000, intervalMs: 1 };

/** Both ends of a connection; nobody has read of either. */
async function openPair(t: ExecutionContext): Promise<[near: Socket, far: Socket]> {
  const server = createServer({ pauseOnConnect: true });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1').pause();
  const [far] = (await once(server, 'connection')) as [Socket];
  server.close();
  t.teardown(() => [near, far].map((socket) => socket.destroy()));
  return [near, far];
}

test('a client that waited while its instance was slow is read on, however little was left to send', async (t) => {
  const [user, client] = await openPair(t);
  const [upstream, instance] = await openPair(t);
  let verdict = Promise.resolve(undefined);
  let mayPass = (): void => {};
  const forwarding = new Forwarding(client, upstream, {
    admit: () => verdict,
    judgeSignIn: () => verdict.then(() => ({ kind: 'forward', bytes: undefined })),
    renderRefusal: () => Buffer.alloc(0),
    noteRequests: () => undefined,
    noteReplies: () => undefined,
  });
  forwarding.start({ answer: Buffer.alloc(0), early: Buffer.alloc(0) });
  const request = Buffer.from(`*2\r\n$4\r\nECHO\r\n$8000\r\n${'x'.repeat(8_000)}\r\n`);
  let sent = 0;
  const send = (): void => {
    user.write(request);
    sent += request.length;
  };
  // Until the kernel takes no more, so that something is left, but too little to ask anybody to wait.
  while (upstream.writableLength === 0) {
    send();
    await pollUntil(async () => client.bytesRead === sent || undefined, patience);
  }
  t.false(upstream.writableNeedDrain);
  verdict = new Promise((resolve) => {
    mayPass = () => resolve(undefined);
  });
  send();
  await pollUntil(async () => client.bytesRead === sent || undefined, patience);
  mayPass();
  await verdict;
  let heard = 0;
  instance.on('data', (chunk) => {
    heard += chunk.length;
  });
  instance.resume();
  await pollUntil(async () => heard === sent || undefined, patience);
  send();
  await pollUntil(async () => heard === sent || undefined, patience);
  t.pass();
});
