import test from 'ava';
import fc from 'fast-check';
import { type Framed, RequestFramer } from '../../../src/edge/request-framer.ts';
import { encode } from './door.ts';

interface Seen {
  /** Where each request begins, with a mark before those that sign in. */
  readonly requests: string[];
  /** Where the line is that Redis does not take. */
  deadAt: number | undefined;
}

/** Reads a stream in these pieces as Forwarding does. */
function readAll(stream: Buffer, sizes: readonly number[]): Seen {
  const framer = new RequestFramer();
  const seen: Seen = { requests: [], deadAt: undefined };
  let held = Buffer.alloc(0);
  let heldAt = 0;
  let from = 0;
  for (let piece = 0; from < stream.length; piece += 1) {
    const size = sizes[piece % sizes.length] ?? stream.length;
    const bytes = Buffer.concat([held, stream.subarray(from, from + size)]);
    from += size;
    let position = 0;
    let kind: Framed = 'nothing';
    while (position < bytes.length && kind !== 'incomplete') {
      kind = framer.read(bytes, position);
      if (kind === 'request') seen.requests.push(`${heldAt + position}`);
      if (kind === 'sign-in') seen.requests.push(`sign-in ${heldAt + position}`);
      if (kind !== 'incomplete' && framer.deadAt !== -1) {
        seen.deadAt = heldAt + framer.deadAt;
        return seen;
      }
      if (kind !== 'incomplete') position = framer.end;
    }
    held = Buffer.from(bytes.subarray(position));
    heldAt += position;
  }
  return seen;
}

const whole = (stream: Buffer | string): Seen => readAll(Buffer.from(stream), [1 << 30]);

// What each line holds was asked of redis-server 7.0.15.
const streams: readonly (readonly [string, readonly string[], number?])[] = [
  ['PING\r\nPING\n', ['0', '6']],
  ['\r\n\nPING\r\n', ['3']],
  ['   \r\nPING\r\n', ['5']],
  ['*0\r\n*-1\r\n*-9223372036854775808\r\nPING\r\n', ['32']],
  ['*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\n', ['0', '14']],
  ['*1\rx$4\ryPING\r\nPING\r\n', ['0', '14']],
  ['*1\r\n$0\r\n\r\nPING\r\n', ['0', '10']],
  ['*2\r\n$3\r\nGET\r\n$8\r\n*1\r\n$4\r\n\r\nPING\r\n', ['0', '27']],
  ['"AU\\x54H" a\r\n', ['sign-in 0']],
  ['*2\r\n$4\r\naUtH\r\n$1\r\na\r\n', ['sign-in 0']],
  ['*2\r\n$5\r\nhelLo\r\n$1\r\n3\r\n', ['sign-in 0']],
  ['*2\r\n$6\r\nauth\0x\r\n$1\r\na\r\n', ['sign-in 0']],
  ['*1\r\n$7\r\nhello\0x\r\n', ['sign-in 0']],
  ['*1\r\n$5\r\nauthx\r\n*1\r\n$3\r\naut\r\n*1\r\n$6\r\nhellox\r\n', ['0', '15', '28']],
  ['PING "a\r\nPING\r\n', [], 0],
  ["'PING'x\r\n", [], 0],
  ['PING\r\n*x\r\nPING\r\n', ['0'], 6],
  ['PI\0NG\r\nPING\r\n', [], 0],
  ['*01\r\n', [], 0],
  ['*-0\r\n', [], 0],
  ['*+1\r\n', [], 0],
  ['*\r\nPING\r\n', [], 0],
  ['*2147483648\r\n', [], 0],
  ['*1\r\nPING\r\n', [], 4],
  ['*1\r\n$-1\r\nPING\r\n', [], 4],
  ['*1\r\n$536870913\r\n', [], 4],
  ['*2\r\n$4\r\nPING\r\n$-1\r\nPING\r\n', ['0'], 14],
  ['*2\r\n$4\r\nPING\r\n$01\r\na\r\n', ['0'], 14],
  ['*2\r\n$4\r\nPING\r\n:1\r\n', ['0'], 14],
];

test('requests begin, and lines are refused, where Redis says', (t) => {
  for (const [stream, requests, deadAt] of streams) {
    t.deepEqual(whole(stream), { requests: [...requests], deadAt }, JSON.stringify(stream));
  }
});

test('the same is told however the bytes were split', (t) => {
  const pieces = fc.array(fc.constantFrom(...streams.map(([stream]) => stream)), { maxLength: 5 });
  const args = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 5 });
  const requests = fc.array(args, { maxLength: 5 });
  const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 20 });
  const property = fc.property(requests, pieces, sizes, (valid, odd, cuts) => {
    const encoded = valid.map((words) => encode(...words.map((word) => Buffer.from(word))));
    const stream = Buffer.concat([...encoded, Buffer.from(odd.join(''), 'latin1')]);
    const expected = whole(stream);
    for (const seen of [readAll(stream, cuts), readAll(stream, [1])]) {
      t.deepEqual(seen.requests, expected.requests);
      // Of a line that came in two pieces only the second is told.
      t.is(seen.deadAt === undefined, expected.deadAt === undefined);
    }
    return true;
  });
  fc.assert(property, { numRuns: 500 });
  t.pass();
});

test('of random requests each is found, once, where it begins', (t) => {
  const word = fc.uint8Array({ minLength: 1, maxLength: 30 });
  const property = fc.property(fc.array(fc.array(word, { minLength: 1 })), (requests) => {
    let at = 0;
    const begins: number[] = [];
    const parts = requests.map((words) => {
      const bytes = encode('GET', ...words.map((bytes) => Buffer.from(bytes)));
      begins.push(at);
      at += bytes.length;
      return bytes;
    });
    const seen = whole(Buffer.concat(parts));
    return seen.deadAt === undefined && seen.requests.join() === begins.join();
  });
  fc.assert(property, { numRuns: 500 });
  t.pass();
});

test('an inline request that never ends is refused at the bound of Redis', (t) => {
  t.deepEqual(readAll(Buffer.alloc(65_536, 'a'), [1_000]), { requests: [], deadAt: undefined });
  t.deepEqual(readAll(Buffer.alloc(65_537, 'a'), [1_000]), { requests: [], deadAt: 0 });
});
