import test from 'ava';
import {
  createAccountSecret,
  createDataSecret,
  isAccountSecret,
  isDataSecret,
} from '../../../src/keys/format.ts';
import { sha256Hex } from '../../../src/lib/crypto.ts';

test('a data key is sc_live_ and 32 hex digits, with its SHA-256', (t) => {
  const { secret, hash } = createDataSecret();
  t.regex(secret, /^sc_live_[0-9a-f]{32}$/);
  t.is(hash, sha256Hex(secret));
  t.true(isDataSecret(secret));
});

test('an account key is sk_live_ and 48 hex digits, with its SHA-256', (t) => {
  const { secret, hash } = createAccountSecret();
  t.regex(secret, /^sk_live_[0-9a-f]{48}$/);
  t.is(hash, sha256Hex(secret));
  t.true(isAccountSecret(secret));
});

test('no two keys are the same', (t) => {
  const secrets = Array.from({ length: 1_000 }, () => [
    createDataSecret().secret.slice('sc_live_'.length),
    createAccountSecret().secret.slice('sk_live_'.length),
  ]).flat();
  t.is(new Set(secrets).size, secrets.length);
});

test('neither kind of key passes for the other', (t) => {
  t.false(isAccountSecret(createDataSecret().secret));
  t.false(isDataSecret(createAccountSecret().secret));
});

test('what is not exactly of the format is no key', (t) => {
  const data = createDataSecret().secret;
  const account = createAccountSecret().secret;
  for (const spoil of [
    () => '',
    (key: string) => key.slice(0, 24),
    (key: string) => `${key} `,
    (key: string) => `${key}\n`,
    (key: string) => ` ${key}`,
    (key: string) => key.toUpperCase(),
    (key: string) => `${key.slice(0, -1)}g`,
    (key: string) => key.replace('live', 'test'),
    (key: string) => key.replace(/.$/, '٣'),
  ]) {
    t.false(isDataSecret(spoil(data)), spoil(data));
    t.false(isAccountSecret(spoil(account)), spoil(account));
  }
  t.false(isDataSecret(`${data}0`));
});
