import test from 'ava';
import { createRequestReader, encodeRequest } from '../../../src/edge/resp-request.ts';

/** Everything a stream means: its requests, how it ends, and what is left over. */
function readAll(chunks: readonly Buffer[], bytesMax?: number) {
  const reader = createRequestReader(bytesMax);
  const requests: string[][] = [];
  for (const chunk of chunks) {
    reader.push(chunk);
    for (;;) {
      const read = reader.next();
      if (read.kind === 'malformed') return { requests, end: read.message };
      if (read.kind === 'incomplete') break;
      requests.push(read.args.map((arg) => arg.toString('latin1')));
    }
  }
  return { requests, end: 'incomplete', rest: reader.rest().toString('latin1') };
}

function bytes(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** A small generator with a seed, so that a failure can be repeated. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

// Each text is what redis-server 7.0.15 answered to these bytes before authentication.
const malformed: readonly [string, string][] = [
  ['*x\r\n', 'invalid multibulk length'],
  ['*+1\r\n', 'invalid multibulk length'],
  ['*01\r\n', 'invalid multibulk length'],
  ['*-0\r\n', 'invalid multibulk length'],
  ['* 1\r\n', 'invalid multibulk length'],
  ['*\r\nPING\r\n', 'invalid multibulk length'],
  ['*1\n$4\nPING\r\n', 'invalid multibulk length'],
  ['*2147483648\r\n', 'invalid multibulk length'],
  ['*1025\r\n', 'unauthenticated multibulk length'],
  ['*1\r\nx\r\n', "expected '$', got 'x'"],
  ['*1\r\n:1\r\n', "expected '$', got ':'"],
  ['*2\r\n$4\r\nAUTH\r\n*1\r\n', "expected '$', got '*'"],
  ['*1\r\n$\r\n', 'invalid bulk length'],
  ['*1\r\n$x\r\n', 'invalid bulk length'],
  ['*1\r\n$-1\r\n', 'invalid bulk length'],
  ['*1\r\n$16385\r\n', 'unauthenticated bulk length'],
  ['AUTH "key\r\n', 'unbalanced quotes in request'],
  ['AUTH "a"b\r\n', 'unbalanced quotes in request'],
  ["AUTH 'a\r\n", 'unbalanced quotes in request'],
  ['A'.repeat(65_537), 'too big inline request'],
  [`*${'1'.repeat(65_540)}`, 'too big mbulk count string'],
  [`*1\r\n$${'1'.repeat(65_540)}`, 'too big bulk count string'],
];

for (const [text, message] of malformed) {
  test(`Redis's own protocol error for ${JSON.stringify(text.slice(0, 30))}`, (t) => {
    t.is(readAll([bytes(text)]).end, `Protocol error: ${message}`);
  });
}

const requests: readonly [string, string[][]][] = [
  ['PING\r\n', [['PING']]],
  ['PING\n', [['PING']]],
  ['  AUTH \t a   b  \r\n', [['AUTH', 'a', 'b']]],
  [
    'AUTH "a b" \'c"d\' "\\x70\\n\\"\\q" \'it\\\'s\\n\'\r\n',
    [['AUTH', 'a b', 'c"d', 'p\n"q', "it's\\n"]],
  ],
  ['AUTH ""\r\n', [['AUTH', '']]],
  ['\r\n\r\n*0\r\n*-1\r\nPING\r\n', [['PING']]],
  ['*1\r\n$4\r\nPING\r\nPING\r\n', [['PING'], ['PING']]],
  ['*2\r\n$4\r\nAUTH\r\n$6\r\n\0\r\n*\xff1\r\n', [['AUTH', '\0\r\n*\xff1']]],
  // Redis does not look at the two bytes behind an argument.
  ['*1\r\n$4\r\nPINGxxPING\r\n', [['PING'], ['PING']]],
];

for (const [text, expected] of requests) {
  test(`reads ${JSON.stringify(text)} as Redis does`, (t) => {
    t.deepEqual(readAll([bytes(text)]).requests, expected);
  });
}

test('the same bytes mean the same, whole, byte by byte, and cut in two at every place', (t) => {
  const streams = [...malformed, ...requests].map(([text]) => bytes(`PING\r\n${text}`));
  streams.push(bytes('*2\r\n$4\r\nAUTH\r\n$3\r\nkey\r\n*1\r\n$4\r\nPI'));
  for (const stream of streams.filter(({ length }) => length < 1_000)) {
    const whole = readAll([stream]);
    t.deepEqual(readAll([...stream].map((byte) => Buffer.from([byte]))), whole);
    for (let cut = 0; cut <= stream.length; cut += 1) {
      t.deepEqual(readAll([stream.subarray(0, cut), stream.subarray(cut)]), whole);
    }
  }
});

test('the same bytes mean the same for random mutations, splits and bounds', (t) => {
  const random = createRandom(20_261_121);
  const seeds = [...malformed, ...requests].map(([text]) => text).filter((s) => s.length < 1_000);
  for (let round = 0; round < 5_000; round += 1) {
    const pieces = [0, 1, 2].map(() => seeds[random(seeds.length)]);
    const stream = bytes(pieces.join(''));
    for (let flip = random(4); flip > 0; flip -= 1) stream[random(stream.length)] = random(256);
    const chunks: Buffer[] = [];
    for (let at = 0; at < stream.length; ) {
      const size = 1 + random(12);
      chunks.push(stream.subarray(at, at + size));
      at += size;
    }
    const bytesMax = 1 + random(100);
    t.deepEqual(readAll(chunks, bytesMax), readAll([stream], bytesMax), `round ${round}`);
  }
});

test('no more than the bound is read as requests, however little each one is', (t) => {
  const flood = readAll([bytes('PING\r\n'.repeat(20_000))]);
  t.is(flood.end, 'Protocol error: too big inline request');
  t.is(flood.requests.length, Math.floor(65_536 / 6));
  const argument = `$16384\r\n${'x'.repeat(16_384)}\r\n`;
  const array = readAll([bytes(`*5\r\n${argument.repeat(5)}`)]);
  t.is(array.end, 'Protocol error: too much sent before authentication');
});

test('at most 64 arguments are taken, as an array and inline', (t) => {
  const many = Array.from({ length: 65 }, () => 'a');
  t.is(readAll([encodeRequest(many.slice(1))]).requests[0]?.length, 64);
  t.is(readAll([encodeRequest(many)]).end, 'Protocol error: unauthenticated multibulk length');
  const inline = bytes(`${many.join(' ')}\r\n`);
  t.is(readAll([inline]).end, 'Protocol error: unauthenticated multibulk length');
});

test('60,000 chunks of a byte are read in well under a second', (t) => {
  const reader = createRequestReader();
  const startedAtMs = performance.now();
  for (let count = 0; count < 60_000; count += 1) {
    reader.push(bytes('a'));
    reader.next();
  }
  t.true(performance.now() - startedAtMs < 1_000);
});

test('an encoded request reads back as it was, binary arguments and all', (t) => {
  const args = ['SET', 'ä', '', 'a\r\nb', Buffer.from([0, 255, 13, 10])];
  const expected = args.map((arg) => Buffer.from(arg as string).toString('latin1'));
  t.deepEqual(readAll([encodeRequest(args)]).requests, [expected]);
});
