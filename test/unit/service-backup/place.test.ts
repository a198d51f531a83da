/** What a restore does with the files of the place that it takes. */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { prepareDataDirectory } from '../../../src/data-directory.ts';
import { clearPlace, requireSameMasterKey, writePlace } from '../../../src/service-backup/place.ts';
import { listStates } from '../../../src/service-backup/stack-files.ts';
import { temporaryFolder } from '../../support/folders.ts';
import { testConfig } from '../../support/test-config.ts';

const deployment = { resources: [] };
const members = new Map([
  ['keys/passphrase', Buffer.from('of the archive')],
  ['keys/master.key', Buffer.from('a'.repeat(64))],
  ['tls/ca.crt', Buffer.from('an authority')],
  ['tls/ca.key', Buffer.from('its key')],
  ['tls/../elsewhere', Buffer.from('of nobody')],
  ['stacks/Pulumi.inst_b.yaml', Buffer.from('config: {}\n')],
  ['state/inst_b.json', Buffer.from(JSON.stringify({ version: 3, deployment }))],
]);

function startPlace(t: ExecutionContext) {
  const folder = temporaryFolder(t);
  // A folder of states that another project uses too.
  const states = join(folder, 'states/.pulumi/stacks');
  const config = testConfig({
    SWIFTCACHE_DATA_DIR: join(folder, 'data'),
    SWIFTCACHE_STATE_BACKEND_URL: `file://${join(folder, 'states')}`,
  });
  prepareDataDirectory(config);
  write(join(states, 'swiftcache/inst_a.json'), 'ours');
  write(join(states, 'another/prod.json'), 'theirs');
  write(join(config.dataDir, 'backups/org_a/bkp_a'), 'a backup of an instance');
  write(join(config.dataDir, 'project/stacks/Pulumi.inst_a.yaml'), 'ours');
  write(join(config.dataDir, 'tls/ca.crt'), 'another authority');
  return { folder, config, states };
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** Every file below a folder with its text. */
function readAll(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const files = names.filter((name) => statSync(join(folder, name)).isFile()).sort();
  return Object.fromEntries(files.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

for (const isUsed of [true, false]) {
  test(`a restore that breaks off has everything back in its place, used: ${isUsed}`, async (t) => {
    const { folder, config } = startPlace(t);
    const before = readAll(folder);
    const cleared = clearPlace(config, isUsed, members);
    t.notDeepEqual(readAll(folder), before);
    await writePlace(config, members, () => {});
    cleared.undo();
    const left = Object.entries(readAll(folder)).filter(
      ([name]) => !/meta|Pulumi\.yaml/.test(name),
    );
    t.deepEqual(Object.fromEntries(left), before);
  });
}

test('backups of instances and the states of other projects stay where they are', async (t) => {
  const { config, states } = startPlace(t);
  const { aside = '' } = clearPlace(config, true, members);
  await writePlace(config, members, () => {});
  const backup = join(config.dataDir, 'backups/org_a/bkp_a');
  t.is(readFileSync(backup, 'utf8'), 'a backup of an instance');
  t.is(readFileSync(join(states, 'another/prod.json'), 'utf8'), 'theirs');
  t.deepEqual([...(await listStates(config))], ['inst_b']);
  t.true(Object.keys(readAll(aside)).includes('project/stacks/Pulumi.inst_a.yaml'));
});

test('a master key that is another one than the archive has is not replaced unasked', (t) => {
  const { config } = startPlace(t);
  const other = { message: /not the key of this archive/ };
  t.throws(() => requireSameMasterKey(config, members, false), other);
  t.notThrows(() => requireSameMasterKey(config, members, true));
  writeFileSync(config.masterKeyFile, `${'a'.repeat(64)}\n`);
  t.notThrows(() => requireSameMasterKey(config, members, false));
});

test("the archive's authority takes the place of another, for its owner alone, and puts that aside", async (t) => {
  const { config } = startPlace(t);
  const { aside = '' } = clearPlace(config, false, members);
  await writePlace(config, members, () => {});
  const tls = join(config.dataDir, 'tls');
  t.deepEqual(readAll(tls), { 'ca.crt': 'an authority', 'ca.key': 'its key' });
  t.is(statSync(tls).mode & 0o777, 0o700);
  t.is(statSync(join(tls, 'ca.key')).mode & 0o777, 0o600);
  t.deepEqual(readAll(join(aside, 'tls')), { 'ca.crt': 'another authority' });
});

test('where the archive has none, the authority that is there stays', async (t) => {
  const { config } = startPlace(t);
  const without = new Map([...members].filter(([name]) => !name.startsWith('tls/')));
  clearPlace(config, false, without);
  await writePlace(config, without, () => {});
  t.deepEqual(readAll(join(config.dataDir, 'tls')), { 'ca.crt': 'another authority' });
});
