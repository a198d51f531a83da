import test from 'ava';
import { encodeFailure, encodeResult, readReplyFormat } from '../../../src/gateway/encode.ts';

const json = readReplyFormat({});
const flat = readReplyFormat({ 'upstash-sync-token': '' });
const base64 = readReplyFormat({ 'upstash-encoding': 'base64' });

const bytes = (text: string): Buffer => Buffer.from(text);
const encoded = (text: string): string => Buffer.from(text).toString('base64');

/** Replies as the connection gives them: strings are bytes, numbers are text. */
const table: readonly [string, unknown, unknown, unknown][] = [
  ['null', null, null, null],
  ['OK', bytes('OK'), 'OK', 'OK'],
  ['a status that is not OK', bytes('PONG'), 'PONG', encoded('PONG')],
  ['an empty string', bytes(''), '', ''],
  ['text beyond ASCII', bytes('é😀'), 'é😀', encoded('é😀')],
  ['an integer', '42', 42, 42],
  ['a negative integer', '-7', -7, -7],
  ['the largest exact integer', '9007199254740991', 9007199254740991, 9007199254740991],
  ['an integer just below it', '9007199254740945', 9007199254740945, 9007199254740945],
  ['an integer beyond it', '9007199254740993', '9007199254740993', encoded('9007199254740993')],
  [
    'the smallest integer',
    '-9223372036854775808',
    '-9223372036854775808',
    encoded('-9223372036854775808'),
  ],
  ['a double', '1.5', 1.5, 1.5],
  ['a double with an exponent', '1e+17', 1e17, 1e17],
  ['infinity', 'inf', 'inf', encoded('inf')],
  ['minus infinity', '-inf', '-inf', encoded('-inf')],
  ['no number', 'nan', 'nan', encoded('nan')],
  ['true', true, true, true],
  ['false', false, false, false],
  ['an empty array', [], [], []],
  ['an array', [bytes('a'), null, '1', bytes('OK')], ['a', null, 1, 'OK'], null],
  ['nested arrays', [[bytes('a'), ['1']], []], [['a', [1]], []], [[encoded('a'), [1]], []]],
  ['a map', { a: bytes('1'), b: '2' }, { a: '1', b: 2 }, { a: encoded('1'), b: 2 }],
  ['an empty map', {}, {}, {}],
  ['an error inside', [new Error('ERR x')], ['ERR x'], [encoded('ERR x')]],
];

for (const [name, reply, plain, inBase64] of table) {
  test(`${name} is encoded as documented, and for Upstash's clients`, (t) => {
    t.deepEqual(JSON.parse(encodeResult(reply, json)), { result: plain });
    t.deepEqual(JSON.parse(encodeResult(reply, flat)), { result: plain });
    if (name === 'an array') return;
    t.deepEqual(JSON.parse(encodeResult(reply, base64)), { result: inBase64 });
  });
}

test('in base64 only a top-level OK stays as it is', (t) => {
  const result = JSON.parse(encodeResult([bytes('OK'), [bytes('OK')]], base64)).result;
  t.deepEqual(result, ['T0s=', ['T0s=']]);
});

test('a field called __proto__ or constructor is a field like any other', (t) => {
  const map = Object.defineProperty({ constructor: bytes('c') }, '__proto__', {
    value: bytes('p'),
    enumerable: true,
  });
  t.is(encodeResult(map, json), '{"result":{"constructor":"c","__proto__":"p"}}');
});

test('bytes that are no UTF-8 survive in base64 and are replaced in plain JSON', (t) => {
  const value = Buffer.from([0xff, 0x00, 0x41]);
  t.is(JSON.parse(encodeResult(value, base64)).result, '/wBB');
  t.is(JSON.parse(encodeResult(value, json)).result, '\ufffd\0A');
});

test('any Upstash header asks for flat replies; base64 only where it is named', (t) => {
  t.deepEqual(readReplyFormat({ accept: '*/*' }), { protocol: 3, base64: false });
  t.deepEqual(readReplyFormat({ 'upstash-telemetry-sdk': 'x' }), { protocol: 2, base64: false });
  t.deepEqual(readReplyFormat({ 'upstash-encoding': 'Base64' }), { protocol: 2, base64: true });
  t.deepEqual(readReplyFormat({ 'upstash-encoding': 'gzip' }), { protocol: 2, base64: false });
});

test('a failure is one error text', (t) => {
  t.is(encodeFailure('ERR "x"'), '{"error":"ERR \\"x\\""}');
});
