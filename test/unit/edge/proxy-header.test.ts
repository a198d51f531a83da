import test from 'ava';
import fc from 'fast-check';
import {
  beginsProxyHeader,
  headerBytesMax,
  readProxyHeader,
} from '../../../src/edge/proxy-header.ts';
import { binaryHeader } from './proxy-headers.ts';

const textHeaders: readonly [string, { address: string; port: number } | undefined][] = [
  ['PROXY TCP4 192.0.2.1 198.51.100.2 56324 6379\r\n', { address: '192.0.2.1', port: 56324 }],
  ['PROXY TCP4 255.255.255.255 0.0.0.0 65535 0\r\n', { address: '255.255.255.255', port: 65535 }],
  ['PROXY TCP6 2001:db8::1 ::1 1 6379\r\n', { address: '2001:db8::1', port: 1 }],
  ['PROXY TCP6 ::ffff:192.0.2.1 ::1 1 6379\r\n', { address: '::ffff:192.0.2.1', port: 1 }],
  ['PROXY UNKNOWN\r\n', undefined],
  ['PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n', undefined],
];

for (const [text, source] of textHeaders) {
  test(`version 1 is read: ${JSON.stringify(text)}`, (t) => {
    const bytes = Buffer.from(`${text}PING\r\n`);
    t.deepEqual(readProxyHeader(bytes), { kind: 'header', size: text.length, source });
  });
}

const badTextHeaders = [
  'PROXY\r\n',
  'PROXY \r\n',
  'proxy TCP4 192.0.2.1 198.51.100.2 1 2\r\n',
  'PROXY tcp4 192.0.2.1 198.51.100.2 1 2\r\n',
  'PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n',
  'PROXY constructor 192.0.2.1 198.51.100.2 1 2\r\n',
  'PROXY TCP4 192.0.2.1 198.51.100.2 1\r\n',
  'PROXY TCP4 192.0.2.1 198.51.100.2 1 2 3\r\n',
  'PROXY TCP4  192.0.2.1 198.51.100.2 1 2\r\n',
  'PROXY TCP4 192.0.2.1 198.51.100.2 1 2 \r\n',
  'PROXY TCP4 192.0.2.1\t198.51.100.2 1 2\r\n',
  'PROXY TCP4 192.0.2.256 198.51.100.2 1 2\r\n',
  'PROXY TCP4 192.0.02.1 198.51.100.2 1 2\r\n',
  'PROXY TCP4 ::1 ::1 1 2\r\n',
  'PROXY TCP6 192.0.2.1 198.51.100.2 1 2\r\n',
  'PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n',
  'PROXY TCP6 2001:db8:::1 ::1 1 2\r\n',
  'PROXY TCP4 192.0.2.1 198.51.100.2 65536 2\r\n',
  'PROXY TCP4 192.0.2.1 198.51.100.2 01 2\r\n',
  'PROXY TCP4 192.0.2.1 198.51.100.2 -1 2\r\n',
  'PROXY TCP4 192.0.2.1 198.51.100.2 1 x\r\n',
  'PROXY TCP4 192.0.2.1 198.51.100.2 1 2\nPING\r\n',
  `PROXY UNKNOWN ${'x'.repeat(100)}\r\n`,
  '*1\r\n$4\r\nPING\r\n',
  'GET / HTTP/1.1\r\n',
  '\r\nPING\r\n',
];

for (const text of badTextHeaders) {
  test(`version 1 is strict: ${JSON.stringify(text)}`, (t) => {
    t.is(readProxyHeader(Buffer.from(text)).kind, 'malformed');
  });
}

const ipv4 = [192, 0, 2, 1, 198, 51, 100, 2, 0xdc, 0x04, 0x18, 0xeb];
const ipv6 = [
  0x20,
  0x01,
  0x0d,
  0xb8,
  ...new Array(11).fill(0),
  1,
  ...new Array(16).fill(0),
  1,
  2,
  3,
  4,
];
const additions = [0x04, 0x00, 0x03, 1, 2, 3];

const binaryHeaders: readonly [string, Buffer, { address: string; port: number } | undefined][] = [
  ['IPv4', binaryHeader(0x21, 0x11, ipv4), { address: '192.0.2.1', port: 56324 }],
  [
    'IPv4 with additions',
    binaryHeader(0x21, 0x11, [...ipv4, ...additions]),
    { address: '192.0.2.1', port: 56324 },
  ],
  ['IPv6', binaryHeader(0x21, 0x21, ipv6), { address: '2001:db8::1', port: 258 }],
  ['a socket of Unix', binaryHeader(0x21, 0x31, new Array(216).fill(47)), undefined],
  ['an unspecified family', binaryHeader(0x21, 0x00, [1, 2, 3]), undefined],
  ['LOCAL', binaryHeader(0x20, 0x00, []), undefined],
  ['LOCAL with an address, which does not count', binaryHeader(0x20, 0x11, ipv4), undefined],
  ['LOCAL of a family that is not known yet', binaryHeader(0x20, 0xff, [1]), undefined],
];

for (const [name, header, source] of binaryHeaders) {
  test(`version 2 is read: ${name}`, (t) => {
    const bytes = Buffer.concat([header, Buffer.from('PING\r\n')]);
    t.deepEqual(readProxyHeader(bytes), { kind: 'header', size: header.length, source });
  });
}

const badBinaryHeaders: readonly [string, Buffer][] = [
  ['another version', binaryHeader(0x11, 0x11, ipv4)],
  ['an unknown command', binaryHeader(0x22, 0x11, ipv4)],
  ['an unknown family', binaryHeader(0x21, 0x41, ipv4)],
  ['datagrams', binaryHeader(0x21, 0x12, ipv4)],
  ['IPv4 cut short', binaryHeader(0x21, 0x11, ipv4.slice(1))],
  ['IPv6 with the length of IPv4', binaryHeader(0x21, 0x21, ipv4)],
  ['a Unix path cut short', binaryHeader(0x21, 0x31, new Array(215).fill(0))],
  ['too long', binaryHeader(0x21, 0x11, new Array(headerBytesMax).fill(0))],
  ['too long on its own account', binaryHeader(0x20, 0x00, new Array(headerBytesMax).fill(0))],
];

for (const [name, header] of badBinaryHeaders) {
  test(`version 2 is strict: ${name}`, (t) => {
    t.is(readProxyHeader(header).kind, 'malformed');
  });
}

const goodHeaders = [
  ...textHeaders.map(([text]) => Buffer.from(text)),
  ...binaryHeaders.map(([, header]) => header),
];
const badHeaders = [
  ...badTextHeaders.map((text) => Buffer.from(text)),
  ...badBinaryHeaders.map(([, header]) => header),
];

test('every beginning of a header is incomplete, and whole it reads the same', (t) => {
  for (const header of goodHeaders) {
    for (let length = 0; length < header.length; length += 1) {
      t.is(readProxyHeader(header.subarray(0, length)).kind, 'incomplete');
    }
    t.true(beginsProxyHeader(header));
  }
});

test('what is malformed stays so whatever follows, and no bytes are waited for beyond the bound', (t) => {
  const seeds = fc.constantFrom(...goodHeaders, ...badHeaders);
  const mutation = fc.record({ at: fc.nat(300), byte: fc.integer({ min: 0, max: 255 }) });
  const property = fc.property(
    seeds,
    fc.array(mutation, { maxLength: 3 }),
    fc.uint8Array({ maxLength: 60 }),
    (seed, mutations, tail) => {
      const bytes = Buffer.concat([seed, tail]);
      for (const { at, byte } of mutations) if (at < bytes.length) bytes[at] = byte;
      const whole = readProxyHeader(bytes);
      for (let length = 0; length < bytes.length; length += 7) {
        const part = readProxyHeader(bytes.subarray(0, length));
        if (part.kind !== 'incomplete') t.deepEqual(part, whole);
      }
      if (whole.kind === 'header') t.true(whole.size <= Math.min(bytes.length, headerBytesMax));
      const padded = Buffer.concat([bytes, Buffer.alloc(headerBytesMax, 0x20)]);
      t.not(readProxyHeader(padded).kind, 'incomplete');
    },
  );
  fc.assert(property, { numRuns: 3_000 });
  t.pass();
});

test('any bytes at all are read without a throw', (t) => {
  const property = fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    readProxyHeader(Buffer.from(bytes));
    beginsProxyHeader(Buffer.from(bytes));
  });
  fc.assert(property, { numRuns: 5_000 });
  t.pass();
});

test('commands of Redis are no header', (t) => {
  for (const word of ['PING\r\n', 'PROX', 'PUBLISH a b\r\n', '\r\n\r\nPING\r\n', '*1\r\n', '']) {
    t.false(beginsProxyHeader(Buffer.from(word)), word);
  }
});
