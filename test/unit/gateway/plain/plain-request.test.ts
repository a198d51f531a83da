/** What the plain lane takes, node:http must understand in the very same way. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import test from 'ava';
import fc from 'fast-check';
import { readPlainRequest } from '../../../../src/gateway/plain/plain-request.ts';

const plain =
  'GET /redis/inst_a/get/k HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer x\r\nAccept: */*\r\n\r\n';

test('a request as clients send it is taken, with or without a body', (t) => {
  const { method, url, headers, body } = read(plain);
  t.like({ method, url, body }, { method: 'GET', url: '/redis/inst_a/get/k', body: undefined });
  t.deepEqual({ ...headers }, { host: 'h', authorization: 'Bearer x', accept: '*/*' });
  const posted = read('POST /redis/inst_a HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\n["x"]');
  t.is(posted.body?.toString(), '["x"]');
  t.is(read('PUT /p HTTP/1.1\r\nHost:h\r\nContent-Length: 0\r\n\r\n').body?.length, 0);
});

test('a request that has not arrived whole is waited for, at every byte', (t) => {
  const whole = Buffer.from('POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc');
  for (let length = 0; length < whole.length; length += 1) {
    t.is(readPlainRequest(whole.subarray(0, length)), 'incomplete', `${length} bytes`);
  }
});

const others: Record<string, string> = {
  'a second request behind it': plain + plain,
  'a byte behind it': `${plain}\n`,
  'a body of a GET': `${plain.slice(0, -2)}Content-Length: 1\r\n\r\nx`,
  'a body in chunks': 'POST /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'both lengths':
    'POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: x\r\n\r\nabc',
  'the length twice':
    'POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc',
  'a length with a sign': 'POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: +3\r\n\r\nabc',
  'a length with a zero in front': 'POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 03\r\n\r\nabc',
  'a hexadecimal length': 'POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 0x3\r\n\r\nabc',
  'no length': 'POST /p HTTP/1.1\r\nHost: h\r\n\r\n',
  'more than its length': 'POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nabc',
  'no host': 'GET /p HTTP/1.1\r\nAccept: x\r\n\r\n',
  'two hosts': 'GET /p HTTP/1.1\r\nHost: h\r\nhost: i\r\n\r\n',
  'an empty host': 'GET /p HTTP/1.1\r\nHost: \r\n\r\n',
  'another method': 'DELETE /p HTTP/1.1\r\nHost: h\r\n\r\n',
  'a method in lower case': 'get /p HTTP/1.1\r\nHost: h\r\n\r\n',
  'HTTP/1.0': 'GET /p HTTP/1.0\r\nHost: h\r\n\r\n',
  'HTTP/0.9': 'GET /p\r\n\r\n',
  'the absolute form': 'GET http://h/p HTTP/1.1\r\nHost: h\r\n\r\n',
  'a space in the target': 'GET /p q HTTP/1.1\r\nHost: h\r\n\r\n',
  'bytes beyond ASCII in the target': 'GET /\xe4 HTTP/1.1\r\nHost: h\r\n\r\n',
  'a fragment': 'GET /p#q HTTP/1.1\r\nHost: h\r\n\r\n',
  'a line that ends with LF': 'GET /p HTTP/1.1\nHost: h\r\n\r\n',
  'a header line that ends with LF': 'GET /p HTTP/1.1\r\nHost: h\nA: b\r\n\r\n',
  'a CR in a value': 'GET /p HTTP/1.1\r\nHost: h\rx\r\n\r\n',
  'a folded line': 'GET /p HTTP/1.1\r\nHost: h\r\n x\r\n\r\n',
  'a space before the colon': 'GET /p HTTP/1.1\r\nHost : h\r\n\r\n',
  'a tab in a value': 'GET /p HTTP/1.1\r\nHost: h\r\nA: b\tc\r\n\r\n',
  'a NUL in a value': 'GET /p HTTP/1.1\r\nHost: h\r\nA: \0\r\n\r\n',
  'spaces around a value': 'GET /p HTTP/1.1\r\nHost: h\r\nA:  b\r\n\r\n',
  'a name with an underscore': 'GET /p HTTP/1.1\r\nHost: h\r\n__proto__: x\r\n\r\n',
  'an empty line first': `\r\n${plain}`,
  'another use of the connection': 'GET /p HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\n\r\n',
  'the end of the connection': 'GET /p HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n',
  'a question before the body':
    'POST /p HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n',
  trailers: 'POST /p HTTP/1.1\r\nHost: h\r\nTrailer: x\r\nContent-Length: 0\r\n\r\n',
  TLS: '\x16\x03\x01\x02\0\x01\0',
  'a large head': `GET /p HTTP/1.1\r\nHost: h\r\nA: ${'x'.repeat(9_000)}\r\n\r\n`,
  'a large head so far': `GET /p HTTP/1.1\r\nHost: h\r\nA: ${'x'.repeat(9_000)}`,
  'many headers': `GET /p HTTP/1.1\r\nHost: h\r\n${manyHeaders(64)}\r\n`,
  'a large body': `PUT /p HTTP/1.1\r\nHost: h\r\nContent-Length: 65536\r\n\r\n`,
};

for (const [what, bytes] of Object.entries(others)) {
  test(`${what}: left to node:http`, (t) => {
    t.is(readPlainRequest(Buffer.from(bytes, 'latin1')), 'other');
  });
}

test('node:http finds the same request in whatever is taken, and nothing behind it', async (t) => {
  const ask = await startListener(t);
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(arbitraryRequest, async (bytes) => {
      const request = readPlainRequest(bytes);
      if (typeof request === 'string') return;
      taken += 1;
      const { method, url, headers, body } = request;
      const found = await ask(bytes);
      t.deepEqual(found, [{ method, url, headers: { ...headers }, body: body ?? Buffer.alloc(0) }]);
    }),
    { numRuns: 1_500 },
  );
  t.log(`${taken} of 1,500 were taken`);
  t.true(taken > 400);
});

function read(text: string) {
  const request = readPlainRequest(Buffer.from(text, 'latin1'));
  if (typeof request === 'string') throw new Error(request);
  return request;
}

function manyHeaders(count: number): string {
  return Array.from({ length: count }, (_, index) => `A${index}: x\r\n`).join('');
}

/** The first of them eight times in ten, each of the others less often. */
function mostly<T>(first: T, ...others: T[]): fc.Arbitrary<T> {
  const other = fc.constantFrom(...others);
  return fc.oneof({ weight: 8, arbitrary: fc.constant(first) }, { weight: 2, arbitrary: other });
}

const plainName = fc.constantFrom(
  'Accept',
  'X-A',
  'authorization',
  'User-Agent',
  'Upstash-Encoding',
);
const plainValue = fc.constantFrom('x', 'keep-alive', 'a, b', '"q; r"', 'Bearer k', '');
const oddName = fc.constantFrom('Connection', 'Transfer-Encoding', 'TE', 'Content-Length', 'a_b');
const oddColon = fc.constantFrom(': ', ':  ', ' : ', ':\t');
const oddValue = fc.constantFrom('chunked', 'ü', 'close', '7', 'keep-alive');

/** Requests of parts that are mostly right, with a byte changed, added or taken out now and then. */
const arbitraryRequest = fc
  .record({
    method: mostly('GET', 'POST', 'PUT', 'POST', 'HEAD'),
    target: mostly('/redis/inst_a/get/k', '/a?b=c&d=%20', '/%2F', '/ä'),
    version: mostly('HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0'),
    headers: fc.uniqueArray(
      fc.oneof(
        { weight: 9, arbitrary: fc.tuple(plainName, fc.constantFrom(': ', ':'), plainValue) },
        { weight: 1, arbitrary: fc.tuple(oddName, oddColon, oddValue) },
      ),
      { maxLength: 4, selector: ([name]) => name },
    ),
    host: mostly('Host: h\r\n', 'host:h\r\n', ''),
    body: fc.constantFrom('', 'x', '["GET","k"]', '\r\n\r\n', 'GET / HTTP/1.1\r\n\r\n'),
    lengthOff: mostly(0, 0, 1, -1),
    change: fc.option(
      fc.record({
        at: fc.nat(400),
        cut: fc.constantFrom(0, 1, 2),
        put: fc.constantFrom('', '\r', '\n', ' ', '\t', '\0', ':', 'é', '\r\n'),
      }),
      { freq: 1 },
    ),
  })
  .map(({ method, target, version, headers, host, body, lengthOff, change }) => {
    const lines = headers.map(([name, colon, value]) => `${name}${colon}${value}\r\n`).join('');
    const isBodied = method === 'POST' || method === 'PUT';
    const length = isBodied ? `Content-Length: ${body.length + lengthOff}\r\n` : '';
    const text = `${method} ${target} ${version}\r\n${host}${lines}${length}\r\n${isBodied ? body : ''}`;
    if (!change) return Buffer.from(text, 'latin1');
    const at = change.at % text.length;
    return Buffer.from(text.slice(0, at) + change.put + text.slice(at + change.cut), 'latin1');
  });

interface Found {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A server of node:http alone, and how to ask what it finds in some bytes. */
async function startListener(t: {
  teardown(end: () => void): void;
}): Promise<(bytes: Buffer) => Promise<Found[]>> {
  let found: Found[] = [];
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const { method, url, headers } = request;
      found.push({ method, url, headers: { ...headers }, body: Buffer.concat(pieces) });
      response.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  return async (bytes) => {
    found = [];
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.end(bytes);
    socket.resume();
    await new Promise((resolve) => socket.once('close', resolve));
    return found;
  };
}
