import test from 'ava';
import { type IdPrefix, idPattern, newId } from '../../../src/lib/ids.ts';

const prefixes: IdPrefix[] = ['org', 'inst', 'key', 'acct', 'op', 'req', 'swc'];

test('an id is its prefix and 16 letters and digits of base 32', (t) => {
  for (const prefix of prefixes) t.regex(newId(prefix), new RegExp(`^${prefix}_[a-z2-7]{16}$`));
});

test('10,000 ids are 10,000 different ones and use the whole alphabet', (t) => {
  const ids = Array.from({ length: 10_000 }, () => newId('inst'));
  t.is(new Set(ids).size, ids.length);
  t.is(new Set(ids.flatMap((id) => [...id.slice('inst_'.length)])).size, 32);
});

test("a prefix's pattern takes its own ids and no others", (t) => {
  for (const prefix of prefixes) {
    const others = prefixes.filter((other) => other !== prefix);
    t.true(idPattern(prefix).test(newId(prefix)));
    for (const other of others) t.false(idPattern(prefix).test(newId(other)));
  }
});

test('the pattern refuses what is longer, shorter, of another alphabet, or has more around it', (t) => {
  const pattern = idPattern('key');
  const id = newId('key');
  for (const text of [`${id}a`, id.slice(0, -1), ` ${id}`, `${id}\n`, id.toUpperCase()]) {
    t.false(pattern.test(text), JSON.stringify(text));
  }
  for (const strange of ['0', '1', '8', '9', '-', '/', '.', 'ä']) {
    t.false(pattern.test(id.slice(0, -1) + strange), strange);
  }
});
