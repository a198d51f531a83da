/** Server-sent events on a real HTTP answer, read from a raw socket. */
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import {
  defaultEventStreamLimits,
  type EventStream,
  type EventStreamLimits,
  openEventStream,
} from '../../../src/gateway/event-stream.ts';
import { pollUntil } from '../../../src/lib/retry.ts';

interface Opened {
  readonly events: EventStream;
  readonly response: ServerResponse;
  readonly client: Socket;
  /** Everything that the client has read so far. */
  text(): string;
}

/** A client of HTTP/1.0, so that the body stands in the answer without lengths of chunks. */
async function open(
  t: ExecutionContext,
  limits: Partial<EventStreamLimits> = {},
  request = 'GET / HTTP/1.0\r\n\r\n',
): Promise<Opened> {
  const { promise, resolve } = Promise.withResolvers<Pick<Opened, 'events' | 'response'>>();
  const server = createServer((_request, response) => {
    const headers = ['X-Common', 'yes'];
    const events = openEventStream(response, headers, { ...defaultEventStreamLimits, ...limits });
    resolve({ events, response });
  });
  server.listen(0, '127.0.0.1');
  await new Promise((ready) => server.once('listening', ready));
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  let text = '';
  client.on('data', (chunk) => {
    text += chunk;
  });
  client.on('error', () => {});
  client.write(request);
  t.teardown(() => {
    client.destroy();
    server.closeAllConnections();
    server.close();
  });
  return { ...(await promise), client, text: () => text };
}

function bodyOf({ text }: Opened): string {
  return text().split('\r\n\r\n').slice(1).join('\r\n\r\n');
}

async function waitForText(opened: Opened, wanted: string | RegExp): Promise<void> {
  const isThere = async (): Promise<true | undefined> =>
    (typeof wanted === 'string' ? opened.text().includes(wanted) : wanted.test(opened.text())) ||
    undefined;
  await pollUntil(isThere, { timeoutMs: 30_000, intervalMs: 5 });
}

test('status and headers are sent before the first event', async (t) => {
  const opened = await open(t);
  await waitForText(opened, '\r\n\r\n');
  t.regex(opened.text(), /^HTTP\/1\.1 200 /);
  t.regex(opened.text(), /\r\nContent-Type: text\/event-stream\r\n/);
  t.regex(opened.text(), /\r\nX-Accel-Buffering: no\r\n/);
  t.regex(opened.text(), /\r\nX-Common: yes\r\n/);
  t.is(bodyOf(opened), '');
});

test('an event is one line that ends in LF alone, whatever its fields hold', async (t) => {
  const opened = await open(t);
  opened.events.send(['message', 'news', 'a, b']);
  opened.events.send(['message', 'two\r\ndata: forged', 'line\nbreak\rs']);
  opened.events.end('over');
  await new Promise((resolve) => opened.client.once('close', resolve));
  t.is(
    bodyOf(opened),
    'data: message,news,a, b\n\n' +
      'data: message,"two\\r\\ndata: forged","line\\nbreak\\rs"\n\n' +
      ': over\n\n',
  );
});

test('what is sent in one turn goes out in one piece', async (t) => {
  const opened = await open(t, {}, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await waitForText(opened, '\r\n\r\n');
  const chunks: string[] = [];
  opened.client.on('data', (chunk) => chunks.push(String(chunk)));
  for (let index = 0; index < 100; index++) opened.events.send([`event ${index}`]);
  await waitForText(opened, 'event 99');
  t.is(chunks.length, 1);
});

test('a reader who hears nothing gets a comment', async (t) => {
  const opened = await open(t, { heartbeatMs: 20 });
  await waitForText(opened, ': keepalive\n\n: keepalive\n\n');
  opened.events.end('over');
  await new Promise((resolve) => opened.client.once('close', resolve));
  t.true(bodyOf(opened).endsWith(': over\n\n'));
});

test('a reader who does not read is cut off once more than the bound waits', async (t) => {
  const unsentBytesMax = 256 * 1024;
  const opened = await open(t, { unsentBytesMax });
  opened.client.pause();
  let ended: string | undefined;
  void opened.events.ended.then((reason) => {
    ended = reason;
  });
  const event = 'x'.repeat(16 * 1024);
  let longest = 0;
  await pollUntil(
    async () => {
      opened.events.send([event]);
      longest = Math.max(longest, opened.response.writableLength);
      return ended;
    },
    { timeoutMs: 60_000, intervalMs: 0 },
  );
  t.is(ended, 'the reader was too slow');
  t.true(opened.response.destroyed);
  t.true(longest <= unsentBytesMax + 2 * event.length, `${longest}`);
});

test('one event may be larger than the bound', async (t) => {
  const opened = await open(t, { unsentBytesMax: 1024 });
  opened.events.send(['y'.repeat(1024 * 1024)]);
  await waitForText(opened, /y\n\n$/);
  opened.events.send(['and another']);
  await waitForText(opened, 'data: and another\n\n');
  t.pass();
});

test('a reader who leaves ends the stream, and nothing is sent to it afterwards', async (t) => {
  const opened = await open(t);
  await waitForText(opened, '\r\n\r\n');
  opened.client.destroy();
  t.is(await opened.events.ended, 'the reader left');
  opened.events.send(['lost']);
  opened.events.end('over');
  t.is(await opened.events.ended, 'the reader left');
});

test('an end that is not read is cut off after a while', async (t) => {
  const opened = await open(t, { cutAfterMs: 20, unsentBytesMax: 64 * 1024 * 1024 });
  opened.client.pause();
  opened.events.send(['z'.repeat(32 * 1024 * 1024)]);
  const closed = new Promise((resolve) => opened.response.once('close', resolve));
  opened.events.end('over');
  t.is(await opened.events.ended, 'over');
  await closed;
  t.false(opened.response.writableFinished);
});
