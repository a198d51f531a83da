import test from 'ava';
import { allowsAddress, normaliseAddressRule } from '../../../src/keys/address-rules.ts';

const normal: Record<string, string> = {
  '192.0.2.1': '192.0.2.1',
  '192.0.2.1/32': '192.0.2.1',
  '192.0.2.77/24': '192.0.2.0/24',
  '0.0.0.0/0': '0.0.0.0/0',
  '2001:DB8:0:0::1': '2001:db8::1',
  '2001:db8::ffff/32': '2001:db8::/32',
  '::/0': '::/0',
  '::1/128': '::1',
  '::ffff:192.0.2.1': '192.0.2.1',
  '::ffff:c000:201': '192.0.2.1',
  '::ffff:192.0.2.1/120': '192.0.2.0/24',
};

for (const [text, wanted] of Object.entries(normal)) {
  test(`${text} is kept as ${wanted}, and that stays as it is`, (t) => {
    t.is(normaliseAddressRule(text), wanted);
    t.is(normaliseAddressRule(wanted), wanted);
  });
}

const none = [
  '',
  'localhost',
  '192.0.2',
  '192.0.2.1.5',
  '192.0.2.256',
  '0300.0.2.1',
  '0xc0.0.2.1',
  '3221225985',
  '192.0.2.1/33',
  '192.0.2.1/-1',
  '192.0.2.1/',
  '/24',
  '192.0.2.1/24/24',
  '2001:db8::1/129',
  'fe80::1%eth0',
  '::ffff:192.0.2.1/90',
  ' 192.0.2.1',
  '192.0.2.1\n',
];

for (const text of none) {
  test(`${JSON.stringify(text)} is no address and no range`, (t) => {
    t.is(normaliseAddressRule(text), undefined);
  });
}

test('without rules every address is allowed, and what is none', (t) => {
  for (const address of ['192.0.2.1', '::1', undefined, 'x']) t.true(allowsAddress([], address));
});

const rules = ['192.0.2.0/24', '198.51.100.7', '2001:db8::/32'];
const inside = ['192.0.2.0', '192.0.2.255', '198.51.100.7', '2001:db8:1::1', '::ffff:192.0.2.9'];
const outside = [
  '192.0.3.0',
  '198.51.100.8',
  '2001:db9::1',
  '::1',
  '::ffff:192.0.3.1',
  undefined,
  '',
  'x',
];

for (const address of inside) {
  test(`${address} is in the ranges`, (t) => t.true(allowsAddress(rules, address)));
}

for (const address of outside) {
  test(`${address} is in none of the ranges`, (t) => t.false(allowsAddress(rules, address)));
}
