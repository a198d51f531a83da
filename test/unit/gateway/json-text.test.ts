import test from 'ava';
import fc from 'fast-check';
import { encodeJsonText } from '../../../src/gateway/json-text.ts';

/** What holds nothing to escape, so that the quick ways are taken. */
const plain = fc.string({ unit: fc.constantFrom(...'abc {}:,é😀\x7f\u2028'), maxLength: 1_500 });
const bytes = fc.oneof(
  plain.map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 1_500 }).map((array) => Buffer.from(array)),
);

test('bytes become the JSON that JSON.stringify gives of their text, wherever they lie', (t) => {
  fc.assert(
    fc.property(fc.nat(9), bytes, (start, value) => {
      const memory = Buffer.concat([Buffer.alloc(start, '"'), value, Buffer.from('"\\\0')]);
      const end = start + value.length;
      t.is(encodeJsonText(memory, start, end), JSON.stringify(value.toString('utf8')));
    }),
    { numRuns: 3_000 },
  );
});

test('one byte to escape is found at every place', (t) => {
  for (const byte of [0x00, 0x1f, 0x22, 0x5c, 0x20, 0x21, 0x23, 0x5b, 0x5d, 0x7f, 0x80, 0xff]) {
    for (let place = 0; place < 300; place++) {
      const value = Buffer.alloc(300, 'x');
      value[place] = byte;
      t.is(encodeJsonText(value, 0, 300), JSON.stringify(value.toString('utf8')));
    }
  }
});
