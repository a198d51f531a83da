import test from 'ava';
import { createFingerprint, createSealer, randomHex, sha256Hex } from '../../../src/lib/crypto.ts';

const masterKey = Buffer.alloc(32, 7);
const sealer = createSealer(masterKey);
const place = 'instances/inst_a/password';

test('the hash is the SHA-256 of the UTF-8 text, in lower-case hex', (t) => {
  t.is(sha256Hex(''), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  t.is(sha256Hex('ü'), '607474ca475a9724d7360aba71a56d5df77e61350e3f724cfa1f46e857e2d85f');
});

test('random hex has two digits a byte and never repeats', (t) => {
  const values = Array.from({ length: 1_000 }, () => randomHex(16));
  t.is(new Set(values).size, values.length);
  for (const value of values) t.regex(value, /^[0-9a-f]{32}$/);
});

test('what was sealed opens in its place, also with a sealer made anew from the same key', (t) => {
  for (const text of ['', 'a', 'päss wörd', 'x'.repeat(10_000)]) {
    const sealed = sealer.seal(text, place);
    t.is(sealer.open(sealed, place), text);
    t.is(createSealer(masterKey).open(sealed, place), text);
  }
});

test('a sealed value does not show what it holds, and never looks the same twice', (t) => {
  const sealed = Array.from({ length: 100 }, () => sealer.seal('a-plain-password', place));
  t.is(new Set(sealed).size, sealed.length);
  for (const value of sealed) t.notRegex(value, /plain/);
});

test('a value moved to another place does not open', (t) => {
  const sealed = sealer.seal('secret', place);
  t.throws(() => sealer.open(sealed, 'instances/inst_b/password'));
  t.throws(() => sealer.open(sealed, ''));
});

test('a value does not open with another master key', (t) => {
  const sealed = sealer.seal('secret', place);
  const other = createSealer(Buffer.alloc(32, 8));
  t.throws(() => other.open(sealed, place), { message: /another master key/ });
});

test('a change to any byte of a sealed value is noticed', (t) => {
  const sealed = sealer.seal('secret', place);
  const [version, keyId, nonce, body] = sealed.split(':') as [string, string, string, string];
  for (const [name, part] of Object.entries({ nonce, body })) {
    const bytes = Buffer.from(part, 'base64url');
    for (let index = 0; index < bytes.length; index += 1) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8((changed.readUInt8(index) + 1) & 0xff, index);
      const text = changed.toString('base64url');
      const parts = name === 'nonce' ? [version, keyId, text, body] : [version, keyId, nonce, text];
      t.throws(() => sealer.open(parts.join(':'), place), undefined, `${name} ${index}`);
    }
  }
});

test('what is cut short or of no known format does not open', (t) => {
  const sealed = sealer.seal('secret', place);
  for (const text of ['', 'secret', sealed.slice(0, -8), sealed.replace('v1', 'v2'), 'v1:::']) {
    t.throws(() => sealer.open(text, place), undefined, text);
  }
  const [version, keyId, nonce, body] = sealed.split(':') as [string, string, string, string];
  const shortTag = Buffer.from(body, 'base64url').subarray(0, 4).toString('base64url');
  t.throws(() => sealer.open([version, keyId, nonce, shortTag].join(':'), place));
});

test('an error in opening names the place and not the value', (t) => {
  const sealed = sealer.seal('secret', place);
  const other = createSealer(Buffer.alloc(32, 8));
  const error = t.throws(() => other.open(sealed, place));
  t.true(error.message.includes(place));
  t.false(error.message.includes(sealed));
});

test('a fingerprint tells texts and master keys apart, and is no plain hash', (t) => {
  const fingerprint = createFingerprint(masterKey);
  t.regex(fingerprint('a'), /^[0-9a-f]{64}$/);
  t.is(createFingerprint(masterKey)('a'), fingerprint('a'));
  t.not(fingerprint('b'), fingerprint('a'));
  t.not(createFingerprint(Buffer.alloc(32, 8))('a'), fingerprint('a'));
  t.not(sha256Hex('a'), fingerprint('a'));
});
