import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { parse } from 'yaml';
import { explainFailure } from '../../../src/provisioning/failures.ts';
import {
  printStackConfig,
  removeStackConfig,
  writeStackConfig,
  writeStackSalt,
} from '../../../src/provisioning/stack-config.ts';
import { temporaryFolder } from '../../support/folders.ts';

const stack = 'inst_abcdefghijklmnop';
const file = `Pulumi.${stack}.yaml`;
const read = (folder: string): unknown => parse(readFileSync(join(folder, file), 'utf8'));

test('values are written as the texts that `pulumi config set` would write', (t) => {
  const folder = temporaryFolder(t);
  writeStackConfig(folder, stack, {
    'swiftcache:region': 'eu-central',
    'swiftcache:port': 20_000,
    'swiftcache:maxMemoryBytes': 2 ** 34,
    'swiftcache:persistence': false,
  });
  t.deepEqual(read(folder), {
    config: {
      'swiftcache:region': 'eu-central',
      'swiftcache:port': '20000',
      'swiftcache:maxMemoryBytes': '17179869184',
      'swiftcache:persistence': 'false',
    },
  });
});

test('keys of an operator, the salt and whatever else is in the file survive a write', (t) => {
  const folder = temporaryFolder(t);
  const before = `secretsprovider: passphrase
encryptionsalt: v1:abc:def
config:
  swiftcache:port: "20000"
  other:key: mine
  other:secret:
    secure: v1:xyz
`;
  writeFileSync(join(folder, file), before);
  writeStackConfig(folder, stack, { 'swiftcache:port': 20_001 });
  t.deepEqual(read(folder), {
    secretsprovider: 'passphrase',
    encryptionsalt: 'v1:abc:def',
    config: {
      'swiftcache:port': '20001',
      'other:key': 'mine',
      'other:secret': { secure: 'v1:xyz' },
    },
  });
});

test('the salt is set beside the values, in either order', (t) => {
  const folder = temporaryFolder(t);
  writeStackSalt(folder, stack, 'v1:first');
  writeStackConfig(folder, stack, { 'swiftcache:port': 1 });
  writeStackSalt(folder, stack, 'v1:second');
  t.deepEqual(read(folder), {
    encryptionsalt: 'v1:second',
    config: { 'swiftcache:port': '1' },
  });
});

test('an empty file is taken for one without values', (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, file), '');
  writeStackConfig(folder, stack, { 'swiftcache:port': 1 });
  t.deepEqual(read(folder), { config: { 'swiftcache:port': '1' } });
});

test('a file that is not YAML is left as it is', (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, file), 'config: [unclosed');
  t.throws(() => writeStackConfig(folder, stack, { 'swiftcache:port': 1 }));
  t.is(readFileSync(join(folder, file), 'utf8'), 'config: [unclosed');
});

test("a file is its owner's only, and no half-written one stays beside it", (t) => {
  const folder = temporaryFolder(t);
  writeStackConfig(folder, stack, { 'swiftcache:port': 1 });
  t.is(statSync(join(folder, file)).mode & 0o777, 0o600);
  t.deepEqual(readdirSync(folder), [file]);
});

test('removing takes one file, and does nothing where there is none', (t) => {
  const folder = temporaryFolder(t);
  writeStackConfig(folder, stack, { 'swiftcache:port': 1 });
  writeStackConfig(folder, `${stack}x`, { 'swiftcache:port': 1 });
  removeStackConfig(folder, stack);
  removeStackConfig(folder, stack);
  t.deepEqual(readdirSync(folder), [`Pulumi.${stack}x.yaml`]);
});

test('what was set after the configuration was seen is not written over', (t) => {
  const folder = temporaryFolder(t);
  writeStackConfig(folder, stack, { 'swiftcache:maxMemoryBytes': 1 });
  const seen = printStackConfig(folder, stack);
  writeStackConfig(folder, stack, { 'swiftcache:evictionPolicy': 'noeviction' });
  const values = { 'swiftcache:maxMemoryBytes': 2, 'swiftcache:evictionPolicy': 'allkeys-lru' };
  const before = read(folder);
  const refused = t.throws(() => writeStackConfig(folder, stack, values, seen));
  t.is(explainFailure({ diagnostics: [String(refused)], timedOut: false }).code, 'stack_locked');
  t.deepEqual(read(folder), before);
  writeStackConfig(folder, stack, values, printStackConfig(folder, stack));
  // A run that is begun once more finds its own.
  t.notThrows(() => writeStackConfig(folder, stack, values, seen));
  t.like(read(folder), { config: { 'swiftcache:maxMemoryBytes': '2' } });
});
