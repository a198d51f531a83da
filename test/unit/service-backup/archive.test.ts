import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { ArchiveError, createArchive, verifyArchive } from '../../../src/service-backup/archive.ts';
import type { Manifest } from '../../../src/service-backup/manifest.ts';
import { temporaryFolder } from '../../support/folders.ts';

const passphrase = 'correct horse battery staple';
const facts: Omit<Manifest, 'members'> = {
  format: 1,
  version: '0.1.0',
  createdAt: '2026-01-01T00:00:00.000Z',
  installationId: 'swc_a',
  masterKeyFrom: 'file',
  migrations: [],
  tables: {},
  stacks: [],
  images: [],
  inMotion: [],
  warnings: [],
};
const secret = 'a text that no archive shows';

const large = randomBytes(3_000_000);
let folder = '';
let file = '';

/** Deriving a key from a passphrase takes a second or two on purpose: one archive serves most tests. */
test.before(async (t) => {
  folder = mkdtempSync(join(tmpdir(), 'swiftcache-archive-'));
  file = join(folder, 'service.age');
  const archive = await createArchive(file, passphrase);
  await archive.add('keys/passphrase', secret);
  await archive.add('database/000001-settings.ndjson', large);
  t.is(await archive.finish(facts), statSync(file).size);
  t.deepEqual(readdirSync(folder), ['service.age']);
});

test.after.always(() => rmSync(folder, { recursive: true, force: true }));

test('an archive gives back its members, whole and in order, and shows nothing of them', async (t) => {
  const { manifest, kept } = await verifyArchive(file, passphrase, () => true);
  t.deepEqual(
    manifest.members.map(({ name, bytes }) => [name, bytes]),
    [
      ['keys/passphrase', secret.length],
      ['database/000001-settings.ndjson', large.length],
    ],
  );
  t.is(kept.get('keys/passphrase')?.toString(), secret);
  t.true(kept.get('database/000001-settings.ndjson')?.equals(large));
  t.is(statSync(file).mode & 0o777, 0o600);
  t.false(readFileSync(file).includes(secret));
  t.true(readFileSync(file).subarray(0, 21).equals(Buffer.from('age-encryption.org/v1')));
});

test('a wrong passphrase, a changed byte and a cut-off end are each refused in clear words', async (t) => {
  const whole = readFileSync(file);
  const refusal = async (body: Buffer, words = passphrase): Promise<string> => {
    const other = join(temporaryFolder(t), 'other.age');
    writeFileSync(other, body);
    const reading = verifyArchive(other, words, () => true);
    const error = await t.throwsAsync(reading, { instanceOf: ArchiveError });
    return error?.message ?? '';
  };
  t.regex(await refusal(whole, 'another passphrase'), /passphrase is not the one/);
  const changed = Buffer.from(whole);
  changed.writeUInt8(changed.readUInt8(whole.length - 1_000) ^ 1, whole.length - 1_000);
  t.regex(await refusal(changed), /damaged/);
  t.regex(await refusal(whole.subarray(0, -1)), /damaged/);
  t.regex(await refusal(Buffer.from('no archive at all')), /no archive/);
});

test('an archive never takes the place of a file, and one that is given up leaves nothing', async (t) => {
  await t.throwsAsync(createArchive(file, passphrase), { message: /is there already/ });
  const place = temporaryFolder(t);
  const archive = await createArchive(join(place, 'service.age'), passphrase);
  await archive.add('keys/passphrase', secret);
  await archive.abandon();
  t.deepEqual(readdirSync(place), []);
});
