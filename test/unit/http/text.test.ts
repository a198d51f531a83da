/** Texts are checked by the rules that the OpenAPI document states. */
import test from 'ava';
import { z } from 'zod';
import { nameOf, textOf, unseen } from '../../../src/http/schemas/text.ts';

test('what is called unseen is what Unicode calls control and format characters, and two separators', (t) => {
  const stated = new RegExp(`^[${unseen}]$`, 'u');
  const meant = /^[\p{Cc}\p{Cf}\u2028\u2029]$/u;
  for (let point = 0; point <= 0x10_ff_ff; point += 1) {
    const character = String.fromCodePoint(point);
    if (stated.test(character) !== meant.test(character)) t.fail(`U+${point.toString(16)}`);
  }
  t.pass();
});

test('a length counts characters, not halves of them', (t) => {
  t.true(textOf(2).safeParse('🇩🇪').success);
  t.false(textOf(1).safeParse('🇩🇪').success);
  t.false(textOf(4).safeParse('\ud83c').success);
});

test('the pattern of a name says what its check says', (t) => {
  const name = nameOf(8);
  const { pattern, maxLength } = z.toJSONSchema(name) as { pattern: string; maxLength: number };
  t.is(maxLength, 8);
  const stated = new RegExp(pattern, 'u');
  const names = [
    'a',
    'my cache',
    ' a',
    'a ',
    '\u00a0a',
    'a\u3000',
    'a\nb',
    'a\u200bb',
    '',
    '😀',
    '\u{e0041}',
  ];
  for (const each of names)
    t.is(stated.test(each), name.safeParse(each).success, JSON.stringify(each));
});
