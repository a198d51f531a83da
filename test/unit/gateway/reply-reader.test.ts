import test from 'ava';
import fc from 'fast-check';
import { elementsOf, type Frame, isErrorFrame, textOf } from '../../../src/gateway/redis/frames.ts';
import { createReplyReader } from '../../../src/gateway/redis/reply-reader.ts';

interface Reading {
  /** In latin1; a push has ">" before it. */
  readonly frames: string[];
  readonly violations: string[];
}

function read(
  chunks: readonly Buffer[],
  { replyBytesMax = 1_000_000, replyDepthMax = 100 } = {},
): Reading {
  const reading: Reading = { frames: [], violations: [] };
  const reader = createReplyReader({
    replyBytesMax,
    replyDepthMax,
    onReply: (frame) => reading.frames.push(frame.toString('latin1')),
    onPush: (frame) => reading.frames.push(`>${frame.toString('latin1')}`),
    onViolation: (violation) => reading.violations.push(violation),
  });
  for (const chunk of chunks) {
    // As the connection does it: the next chunk comes in the same memory.
    const shared = Buffer.from(chunk);
    reader.push(shared, shared.length);
    shared.fill(0x58);
  }
  return reading;
}

const readText = (text: string, bounds = {}): Reading =>
  read([Buffer.from(text, 'latin1')], bounds);

const line = fc.string({ unit: 'binary', maxLength: 20 }).map((text) =>
  Buffer.from(text)
    .toString('latin1')
    .replace(/[\r\n]/g, ''),
);
const body = fc
  .uint8Array({ maxLength: 200 })
  .map((bytes) => Buffer.from(bytes).toString('latin1'));
const bulk = (type: string, text: string): string => `${type}${text.length}\r\n${text}\r\n`;

const scalar = fc.oneof(
  line.map((text) => `+${text}\r\n`),
  line.map((text) => `-ERR ${text}\r\n`),
  fc.bigInt().map((number) => `:${number}\r\n`),
  fc.constantFrom('_\r\n', '#t\r\n', '#f\r\n', ',1.5\r\n', ',inf\r\n', '(12345\r\n'),
  fc.constantFrom('$-1\r\n', '*-1\r\n', '*0\r\n', '%0\r\n', '~0\r\n', '$0\r\n\r\n'),
  body.map((text) => bulk('$', text)),
  body.map((text) => bulk('!', text)),
  body.map((text) => bulk('=', `txt:${text}`)),
);

/** Whole replies of every kind, attributes inside of them too. */
const { reply } = fc.letrec<{ reply: string; inner: string }>((tie) => ({
  inner: fc.oneof(
    { weight: 5, arbitrary: tie('reply') },
    fc.tuple(tie('reply'), tie('reply'), tie('reply')).map((parts) => `|1\r\n${parts.join('')}`),
  ),
  reply: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    scalar,
    fc
      .array(tie('inner'), { maxLength: 4 })
      .map((parts) => `*${parts.length}\r\n${parts.join('')}`),
    fc
      .array(tie('inner'), { maxLength: 4 })
      .map((parts) => `~${parts.length}\r\n${parts.join('')}`),
    fc
      .array(fc.tuple(tie('reply'), tie('inner')), { maxLength: 3 })
      .map((pairs) => `%${pairs.length}\r\n${pairs.flat().join('')}`),
  ),
}));
const stream = fc.array(reply, { minLength: 1, maxLength: 6 });
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });

function split(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = places.map((place) => Math.floor(place * bytes.length)).sort((a, b) => a - b);
  let start = 0;
  return [...ends, bytes.length].map((end) => {
    const chunk = bytes.subarray(start, end);
    start = end;
    return chunk;
  });
}

test('the same bytes give the same frames however they were split', (t) => {
  fc.assert(
    fc.property(stream, cuts, (replies, places) => {
      const bytes = Buffer.from(replies.join(''), 'latin1');
      t.deepEqual(read(split(bytes, places)), { frames: replies, violations: [] });
    }),
    { numRuns: 2_000 },
  );
});

test('one byte at a time gives the same frames', (t) => {
  fc.assert(
    fc.property(stream, (replies) => {
      const bytes = Buffer.from(replies.join(''), 'latin1');
      const chunks = Array.from(bytes, (_, index) => bytes.subarray(index, index + 1));
      t.deepEqual(read(chunks), { frames: replies, violations: [] });
    }),
    { numRuns: 300 },
  );
});

test('the parts of a frame are found as they were put together', (t) => {
  fc.assert(
    fc.property(fc.array(reply, { maxLength: 8 }), (parts) => {
      const frame = Buffer.from(`*${parts.length}\r\n${parts.join('')}`, 'latin1');
      t.deepEqual(
        elementsOf(frame)?.map((part) => part.toString('latin1')),
        parts,
      );
    }),
    { numRuns: 1_000 },
  );
});

test('bytes that are no RESP, changed or cut, never throw, hang or hold more than the bound', (t) => {
  const replyBytesMax = 2_000;
  const change = fc.record({
    place: fc.double({ min: 0, max: 0.999, noNaN: true }),
    byte: fc.oneof(
      fc.integer({ min: 0, max: 255 }),
      fc.constantFrom(...Buffer.from('\r\n$*>|%~-09')),
    ),
  });
  let whole = 0;
  fc.assert(
    fc.property(
      stream,
      fc.array(change, { minLength: 1, maxLength: 4 }),
      cuts,
      (replies, changes, places) => {
        const bytes = Buffer.from(replies.join(''), 'latin1');
        for (const { place, byte } of changes) bytes[Math.floor(place * bytes.length)] = byte;
        const { frames, violations } = read(split(bytes, places), {
          replyBytesMax,
          replyDepthMax: 8,
        });
        whole += frames.length;
        const size = frames.reduce((sum, frame) => sum + frame.length, 0);
        return violations.length <= 1 && size <= bytes.length + frames.length;
      },
    ),
    { numRuns: 100_000, endOnFailure: true },
  );
  t.true(whole > 10_000);
});

const broken: readonly [string, string][] = [
  ['HTTP/1.1 400 Bad Request\r\n', 'not RESP'],
  ['\r\n', 'not RESP'],
  ['$x\r\n', 'not RESP'],
  ['$-2\r\n', 'not RESP'],
  ['$\r\n', 'not RESP'],
  ['$1\r\nabc', 'not RESP'],
  ['*-2\r\n', 'not RESP'],
  ['*?\r\n', 'not RESP'],
  ['%-1\r\n', 'not RESP'],
  ['=3\r\nabc\r\n', 'not RESP'],
  ['$99999999999\r\n', 'not RESP'],
  ['*1\r\n>1\r\n+x\r\n', 'not RESP'],
  ['$1000001\r\n', 'too large'],
  ['*9999999\r\n', 'too large'],
  ['%9999999999\r\n', 'too large'],
  [`+${'x'.repeat(1_000_000)}`, 'too large'],
  ['*1\r\n'.repeat(101), 'too deep'],
  ['|1\r\n'.repeat(101), 'too deep'],
];

for (const [text, violation] of broken) {
  test(`${JSON.stringify(text.slice(0, 30))} is ${violation}, said once, and nothing is read after it`, (t) => {
    const { frames, violations } = readText(`:1\r\n${text}`);
    t.deepEqual([frames, violations], [[':1\r\n'], [violation]]);
    const chunks = [Buffer.from(`:1\r\n${text}`), Buffer.from(':2\r\n:3\r\n')];
    t.deepEqual(read(chunks), { frames: [':1\r\n'], violations: [violation] });
  });
}

test('a reply may be as large as the bound, and no larger, in one chunk or many', (t) => {
  const reply = bulk('$', 'x'.repeat(500));
  for (const size of [1, 7, 1_000]) {
    const chunks = Array.from({ length: Math.ceil(reply.length / size) }, (_, index) =>
      Buffer.from(reply.slice(index * size, (index + 1) * size)),
    );
    t.deepEqual(read(chunks, { replyBytesMax: reply.length }).frames, [reply]);
    const { violations } = read(chunks, { replyBytesMax: reply.length - 1 });
    t.deepEqual(violations, ['too large']);
  }
});

test('pushes are told apart, and attributes before a reply are left out', (t) => {
  const push = '>2\r\n+message\r\n$1\r\nx\r\n';
  const attribute = '|1\r\n+ttl\r\n:5\r\n';
  const { frames } = readText(`${push}+a\r\n${attribute}${attribute}:1\r\n|0\r\n:2\r\n${push}`);
  t.deepEqual(frames, [`>${push}`, '+a\r\n', ':1\r\n', ':2\r\n', `>${push}`]);
});

test('nothing is given after stop, though it came in the same chunk', (t) => {
  const frames: Frame[] = [];
  const reader = createReplyReader({
    replyBytesMax: 100,
    replyDepthMax: 10,
    onReply(frame) {
      frames.push(frame);
      reader.stop();
    },
    onPush: () => t.fail(),
    onViolation: () => t.fail(),
  });
  reader.push(Buffer.from(':1\r\n:2\r\nrubbish'));
  reader.push(Buffer.from(':3\r\n'));
  t.deepEqual(frames.map(textOf), ['1']);
});

test('a large reply in many small chunks takes time in proportion to its size', (t) => {
  const measure = (bytes: number): number => {
    const reply = Buffer.from(
      `${bulk('$', 'x'.repeat(bytes))}*${bytes / 10}\r\n${':1\r\n'.repeat(bytes / 10)}`,
    );
    const size = 50;
    const chunks = Array.from({ length: Math.ceil(reply.length / size) }, (_, index) =>
      reply.subarray(index * size, (index + 1) * size),
    );
    const startedMs = performance.now();
    t.is(read(chunks, { replyBytesMax: 50_000_000 }).frames.length, 2);
    return performance.now() - startedMs;
  };
  measure(100_000);
  const small = measure(200_000);
  const large = measure(4_000_000);
  // 20 times the bytes; quadratic would be 400.
  t.true(large < 150 * Math.max(small, 1), `${small} ms, ${large} ms`);
});

test('errors are told from other replies by their first byte', (t) => {
  for (const [text, isError, words] of [
    ['-ERR x\r\n', true, 'ERR x'],
    ['!5\r\nERR x\r\n', true, 'ERR x'],
    ['+OK\r\n', false, 'OK'],
    ['$3\r\n-ER\r\n', false, '-ER'],
    ['=7\r\ntxt:abc\r\n', false, 'abc'],
    ['$-1\r\n', false, undefined],
    ['_\r\n', false, undefined],
    ['*1\r\n-ERR x\r\n', false, undefined],
  ] as const) {
    const frame = Buffer.from(text);
    t.is(isErrorFrame(frame), isError, text);
    t.is(textOf(frame), words, text);
  }
});
