import test from 'ava';
import { encodeFailure, encodeFrame, encodePipeline } from '../../../src/gateway/encode.ts';
import { bulkFrame } from '../../../src/gateway/redis/frames.ts';
import { readReplyFormat } from '../../../src/gateway/reply-format.ts';

const json = readReplyFormat({});
const flat = readReplyFormat({ 'upstash-sync-token': '' });
const base64 = readReplyFormat({ 'upstash-encoding': 'base64' });
const raw = readReplyFormat({ 'upstash-response-format': 'resp2' });

const bulk = (text: string): string => bulkFrame(text).toString('latin1');
const encoded = (text: string): string => Buffer.from(text).toString('base64');

/** What Redis sends, and its results as JSON: plain, and in base64. */
const table: readonly [string, string, unknown, unknown][] = [
  ['null', '_\r\n', null, null],
  ['null of RESP2', '$-1\r\n', null, null],
  ['the null array of RESP2', '*-1\r\n', null, null],
  ['OK', '+OK\r\n', 'OK', 'OK'],
  ['OK as a value', bulk('OK'), 'OK', 'OK'],
  ['a status that is not OK', '+PONG\r\n', 'PONG', encoded('PONG')],
  ['a status that begins with OK', '+OKAY\r\n', 'OKAY', encoded('OKAY')],
  ['an empty string', bulk(''), '', ''],
  ['text beyond ASCII', bulk('é😀'), 'é😀', encoded('é😀')],
  ['what JSON escapes', bulk('"\\\r\n\0\u2028'), '"\\\r\n\0\u2028', encoded('"\\\r\n\0\u2028')],
  ['verbatim text', '=9\r\ntxt:a\r\nbc\r\n', 'a\r\nbc', encoded('a\r\nbc')],
  ['an integer', ':42\r\n', 42, 42],
  ['zero', ':0\r\n', 0, 0],
  ['a negative integer', ':-7\r\n', -7, -7],
  ['the largest exact integer', ':9007199254740991\r\n', 9007199254740991, 9007199254740991],
  ['an integer just below it', ':9007199254740945\r\n', 9007199254740945, 9007199254740945],
  [
    'an integer beyond it',
    ':9007199254740993\r\n',
    '9007199254740993',
    encoded('9007199254740993'),
  ],
  [
    'the smallest integer',
    ':-9223372036854775808\r\n',
    '-9223372036854775808',
    encoded('-9223372036854775808'),
  ],
  ['a small big number', '(42\r\n', 42, 42],
  ['a big number', `(${'9'.repeat(40)}\r\n`, '9'.repeat(40), encoded('9'.repeat(40))],
  ['a double', ',1.5\r\n', 1.5, 1.5],
  ['a double with an exponent', ',1e+17\r\n', 1e17, 1e17],
  ['a double that is whole', ',10\r\n', 10, 10],
  ['infinity', ',inf\r\n', 'inf', encoded('inf')],
  ['minus infinity', ',-inf\r\n', '-inf', encoded('-inf')],
  ['no number', ',nan\r\n', 'nan', encoded('nan')],
  ['true', '#t\r\n', true, true],
  ['false', '#f\r\n', false, false],
  ['an empty array', '*0\r\n', [], []],
  [
    'an array',
    `*4\r\n${bulk('a')}$-1\r\n:1\r\n${bulk('OK')}`,
    ['a', null, 1, 'OK'],
    [encoded('a'), null, 1, 'T0s='],
  ],
  [
    'nested arrays',
    `*2\r\n*2\r\n${bulk('a')}*1\r\n:1\r\n*0\r\n`,
    [['a', [1]], []],
    [[encoded('a'), [1]], []],
  ],
  ['a set', '~2\r\n:1\r\n:2\r\n', [1, 2], [1, 2]],
  [
    'a map',
    `%2\r\n${bulk('a')}${bulk('1')}${bulk('b')}:2\r\n`,
    { a: '1', b: 2 },
    { a: encoded('1'), b: 2 },
  ],
  ['a map with numbers as fields', '%1\r\n:1\r\n:2\r\n', { 1: 2 }, { 1: 2 }],
  [
    'a map with an array as a field',
    `%2\r\n*1\r\n${bulk('a')}:1\r\n:2\r\n:3\r\n`,
    [
      [['a'], 1],
      [2, 3],
    ],
    [
      [['a'], 1],
      [2, 3],
    ],
  ],
  ['an empty map', '%0\r\n', {}, {}],
  ['an error inside', '*1\r\n-ERR x\r\n', ['ERR x'], [encoded('ERR x')]],
  ['a long error inside', '*1\r\n!5\r\nERR x\r\n', ['ERR x'], [encoded('ERR x')]],
  ['what has attributes inside', '*2\r\n|1\r\n+a\r\n:1\r\n:5\r\n:6\r\n', [5, 6], [5, 6]],
];

for (const [name, reply, plain, inBase64] of table) {
  test(`${name} is encoded as documented, and for Upstash's clients`, (t) => {
    const frame = Buffer.from(reply, 'latin1');
    t.deepEqual(JSON.parse(String(encodeFrame(frame, json))), { result: plain });
    t.deepEqual(JSON.parse(String(encodeFrame(frame, flat))), { result: plain });
    t.deepEqual(JSON.parse(String(encodeFrame(frame, base64))), { result: inBase64 });
    t.is(encodeFrame(frame, raw), frame);
  });
}

test('a field called __proto__ or constructor is a field like any other', (t) => {
  const map = `%2\r\n${bulk('constructor')}${bulk('c')}${bulk('__proto__')}${bulk('p')}`;
  const body = encodeFrame(Buffer.from(map), json);
  t.is(body, '{"result":{"constructor":"c","__proto__":"p"}}');
});

test('bytes that are no UTF-8 survive in base64 and are replaced in plain JSON', (t) => {
  const frame = bulkFrame(Buffer.from([0xff, 0x00, 0x41]));
  t.is(JSON.parse(String(encodeFrame(frame, base64))).result, '/wBB');
  t.is(JSON.parse(String(encodeFrame(frame, json))).result, '\ufffd\0A');
});

test('an array as deep as the reader lets through is encoded', (t) => {
  const frame = Buffer.from(`${'*1\r\n'.repeat(1_000)}:1\r\n`);
  t.is(encodeFrame(frame, json), `{"result":${'['.repeat(1_000)}1${']'.repeat(1_000)}}`);
});

test('maps as fields of maps, as deep as can be, are no longer encoded than they are', (t) => {
  const nested = (depth: number): string => {
    const frame = Buffer.from(`${'%1\r\n'.repeat(depth)}${bulk('k')}${':1\r\n'.repeat(depth)}`);
    return String(encodeFrame(frame, json));
  };
  t.is(nested(3), '{"result":[[[[{"k":1},1]],1]]}');
  // 20 levels are megabytes where each doubles what is inside of it.
  t.true(nested(20).length < 1_000);
  t.true(nested(1_000).length < 20_000);
});

test('an error reply is one error text, in every JSON form', (t) => {
  for (const format of [json, flat, base64]) {
    t.is(encodeFrame(Buffer.from('-ERR "x"\r\n'), format), '{"error":"ERR \\"x\\""}');
    t.is(encodeFrame(Buffer.from('!7\r\nERR "x"\r\n'), format), '{"error":"ERR \\"x\\""}');
  }
});

test('a failure is one error text, and a pipeline is the list of its bodies', (t) => {
  t.is(encodeFailure('ERR "x"'), '{"error":"ERR \\"x\\""}');
  t.is(encodePipeline(['{"result":1}', '{"error":"x"}']), '[{"result":1},{"error":"x"}]');
});
