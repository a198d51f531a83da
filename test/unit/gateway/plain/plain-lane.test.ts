/** Which connections the plain lane keeps, and that those it gives away lose nothing. */
import { once } from 'node:events';
import { createServer as createHttp } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import type { PlainAnswer } from '../../../../src/gateway/plain/plain-answer.ts';
import { createPlainLane } from '../../../../src/gateway/plain/plain-lane.ts';
import { pollUntil } from '../../../../src/lib/retry.ts';

const request = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`;
const posted = 'POST /lane HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nabcde';

test('requests one after another are answered here, with bodies in one piece or two', async (t) => {
  const { ask } = await start(t);
  const client = await ask();
  for (let count = 1; count <= 3; count += 1) {
    client.write(request('/lane'));
    t.is(await client.read(count), 'lane /lane '.repeat(count));
  }
  client.write(posted.slice(0, -3));
  await sleep(30);
  client.write(posted.slice(-3));
  t.is(await client.read(4), `${'lane /lane '.repeat(3)}lane /lane=abcde `);
});

test('an answer tells its length, its date and how long the connection is kept', async (t) => {
  const { ask } = await start(t);
  const client = await ask();
  client.write(request('/lane'));
  await client.read(1);
  t.regex(client.text(), /^HTTP\/1\.1 200 OK\r\n/);
  for (const header of ['X-Own: x', 'Connection: keep-alive', 'Keep-Alive: timeout=65']) {
    t.true(client.text().includes(`\r\n${header}\r\n`), header);
  }
  const date = /\r\nDate: (.+)\r\n/.exec(client.text())?.[1] ?? '';
  t.true(Math.abs(Date.parse(date) - Date.now()) < 60_000);
});

test('two requests at once, and any after them, are the other server’s, in order', async (t) => {
  const { ask } = await start(t);
  const client = await ask();
  client.write(request('/lane') + request('/second'));
  t.is(await client.read(2), 'http /lane http /second ');
  client.write(request('/lane'));
  t.is(await client.read(3), 'http /lane http /second http /lane ');
});

test('a request that comes before the last one’s answer is answered after it, by the other server', async (t) => {
  const { ask, release } = await start(t);
  const client = await ask();
  client.write(request('/wait'));
  await sleep(30);
  client.write(`${request('/second')}GET /th`);
  await sleep(30);
  release();
  t.is(await client.read(2), 'lane /wait http /second ');
  client.write('ird HTTP/1.1\r\nHost: h\r\n\r\n');
  t.is(await client.read(3), 'lane /wait http /second http /third ');
});

const given: Record<string, string> = {
  'a path that is not for here': request('/elsewhere'),
  'a body in chunks':
    'POST /lane HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n',
  'a body larger than is waited for': `PUT /lane HTTP/1.1\r\nHost: h\r\nContent-Length: 70000\r\n\r\n${'x'.repeat(70_000)}`,
};
for (const [what, bytes] of Object.entries(given)) {
  test(`${what} goes to the other server whole, after answers from here`, async (t) => {
    const { ask } = await start(t);
    const client = await ask();
    client.write(request('/lane'));
    await client.read(1);
    client.write(bytes);
    t.regex(await client.read(2), /^lane \/lane http \/(elsewhere|lane=(abcde|x{70000})) $/);
  });
}

test('a request that comes byte by byte, or not to its end, goes to the other server', async (t) => {
  const { ask } = await start(t);
  const slow = await ask();
  for (const byte of request('/lane')) {
    slow.write(byte);
    await sleep(2);
  }
  t.is(await slow.read(1), 'http /lane ');
  const unfinished = await ask();
  unfinished.write('GET /la');
  await sleep(300);
  unfinished.write('ne HTTP/1.1\r\nHost: h\r\n\r\n');
  t.is(await unfinished.read(1), 'http /lane ');
});

test('what a client sends before it closes its side is answered, then the connection ends', async (t) => {
  const { ask } = await start(t);
  for (const path of ['/lane', '/elsewhere']) {
    const client = await ask();
    client.socket.end(request(path));
    await client.closed;
    t.is(client.text().match(/HTTP\/1\.1 200/g)?.length, 1, path);
  }
  const breaking = await ask();
  breaking.socket.end('GET /lan');
  await breaking.closed;
  t.is(breaking.text(), '');
});

test('a client who leaves is noticed, and nothing is sent into its connection', async (t) => {
  const { ask, waiting, release } = await start(t);
  const client = await ask();
  client.write(request('/wait'));
  await pollUntil(async () => waiting() || undefined, { timeoutMs: 5_000, intervalMs: 5 });
  const answer = waiting() as PlainAnswer;
  let closes = 0;
  answer.once('close', () => {
    closes += 1;
  });
  client.socket.destroy();
  await pollUntil(async () => closes || undefined, { timeoutMs: 5_000, intervalMs: 5 });
  t.notThrows(release);
  await sleep(20);
  t.is(closes, 1);
});

test('a client who has closed its side is noticed as well by whoever begins to wait for that later', async (t) => {
  const { ask, waiting, release } = await start(t);
  const client = await ask();
  client.socket.end(request('/wait'));
  await pollUntil(async () => waiting() || undefined, { timeoutMs: 5_000, intervalMs: 5 });
  await sleep(100);
  let closes = 0;
  waiting()?.once('close', () => {
    closes += 1;
  });
  await pollUntil(async () => closes || undefined, { timeoutMs: 5_000, intervalMs: 5 });
  release();
  t.is(await client.read(1), 'lane /wait ');
  t.is(closes, 1);
});

test('who does not read answers is given away with the next request: they do not pile up here', async (t) => {
  const { ask } = await start(t);
  const client = await ask();
  client.socket.pause();
  client.write(request('/large'));
  await sleep(100);
  client.write(request('/lane'));
  await sleep(50);
  client.socket.resume();
  await client.read(2);
  t.true(client.text().endsWith('http /lane '));
});

test('an idle connection is closed after its time, a busy one is not', async (t) => {
  const { ask, release } = await start(t, 200);
  const idle = await ask();
  const busy = await ask();
  busy.write(request('/wait'));
  await idle.closed;
  release();
  t.is(await busy.read(1), 'lane /wait ');
});

test('a connection is not idle while a large answer is still being read', async (t) => {
  const { ask } = await start(t, 200);
  const client = await ask();
  client.socket.pause();
  client.write(request('/large'));
  await sleep(600);
  client.socket.resume();
  const isWhole = async () => client.text().length > 9_000_000 || undefined;
  await pollUntil(isWhole, { timeoutMs: 10_000, intervalMs: 20 });
  t.pass();
});

test('once the server is closed idle connections end, others with their answer', async (t) => {
  const { ask, release, close } = await start(t);
  const idle = await ask();
  idle.write(request('/lane'));
  await idle.read(1);
  const busy = await ask();
  busy.write(request('/wait'));
  await sleep(50);
  const closed = close();
  await idle.closed;
  release();
  await busy.closed;
  t.regex(busy.text(), /\r\nConnection: close\r\n\r\nlane \/wait $/);
  await closed;
});

test('a header that would break its line is not sent', async (t) => {
  const { ask, waiting, release } = await start(t);
  const client = await ask();
  client.write(request('/wait'));
  await pollUntil(async () => waiting() || undefined, { timeoutMs: 5_000, intervalMs: 5 });
  for (const value of ['a\r\nSet-Cookie: b', 'a\nb', 'a\0', 'ü']) {
    t.throws(() => waiting()?.writeHead(200, ['X', value]), { instanceOf: TypeError });
  }
  release();
  t.is(await client.read(1), 'lane /wait ');
});

/** A server whose lane answers /lane, /large and, when released, /wait; node:http answers the rest. */
async function start(t: ExecutionContext, keepAliveMs = 65_000) {
  const answers: (() => void)[] = [];
  let last: PlainAnswer | undefined;
  const http = createHttp((message, response) => {
    let body = '';
    message.on('data', (piece) => {
      body += piece;
    });
    message.on('end', () => response.end(`http ${message.url}${body && `=${body}`} `));
  });
  const server = createServer({ allowHalfOpen: true });
  const lane = createPlainLane({
    serve({ url, body }, answer) {
      if (!['/lane', '/large', '/wait'].includes(url)) return false;
      const text = `lane ${url}${body ? `=${body}` : ''} ${url === '/large' ? 'x'.repeat(9_000_000) : ''}`;
      const give = (): void => {
        if (answer.destroyed) return;
        answer.writeHead(200, ['X-Own', 'x', 'Content-Length', String(text.length)]);
        answer.end(text);
      };
      if (url === '/wait') {
        last = answer;
        answers.push(give);
      } else give();
      return true;
    },
    handOver: (socket) => void http.emit('connection', socket),
    isOpen: () => server.listening,
    keepAliveMs,
    sweepMs: 20,
  });
  server.on('connection', lane.accept).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  t.teardown(() => {
    server.close();
    http.closeAllConnections();
    lane.destroyAll();
  });
  return {
    waiting: () => last,
    release() {
      for (const answer of answers.splice(0)) answer();
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      lane.closeIdle();
      await closed;
    },
    async ask() {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      await once(socket, 'connect');
      return createReader(socket);
    },
  };
}

function createReader(socket: Socket) {
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  /** The bodies of so many answers. */
  const read = async (count: number): Promise<string> =>
    await pollUntil(
      async () => {
        const bodies = text.split(/HTTP\/1\.1 200 OK\r\n/).slice(1);
        if (bodies.length < count) return undefined;
        const contents = bodies.map((each) => each.slice(each.indexOf('\r\n\r\n') + 4));
        return contents.every((each) => each.endsWith(' ') || each.endsWith('x'))
          ? contents.join('')
          : undefined;
      },
      { timeoutMs: 10_000, intervalMs: 5 },
    );
  return { socket, closed, read, text: () => text, write: (bytes: string) => socket.write(bytes) };
}
