import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { prepareDataDirectory } from '../../src/data-directory.ts';
import { prepareInstallation } from '../../src/first-start.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { type EntityManager, type Orm, openDatabase } from '../../src/store/database.ts';
import { AccountKeyEntity } from '../../src/store/entities/account-key.ts';
import { OrganizationEntity } from '../../src/store/entities/organization.ts';
import { SettingEntity } from '../../src/store/entities/setting.ts';
import { postgresLocation, testOnEachDatabase } from '../support/databases.ts';
import { testConfig } from '../support/test-config.ts';

const secrets = { masterKey: randomBytes(32), passphrase: 'the passphrase' };

function start(orm: Orm, given = secrets) {
  return prepareInstallation({ orm, clock: systemClock, config: testConfig() }, given);
}

test('of five servers that start at once on an empty PostgreSQL, each comes up and one makes the first rows', async (t) => {
  const location = await postgresLocation();
  const servers = await Promise.all(
    Array.from({ length: 5 }, async () => {
      const orm = await openDatabase(location);
      t.teardown(() => orm.close());
      return { orm, made: await start(orm) };
    }),
  );
  const { orm } = servers[0] as (typeof servers)[number];
  t.is(new Set(servers.map(({ made }) => made.installationId)).size, 1);
  t.is(new Set(servers.map(({ made }) => made.organizationId)).size, 1);
  t.is(servers.filter(({ made }) => made.secret !== undefined).length, 1);
  const em = orm.em.fork() as EntityManager;
  t.is(await em.count(OrganizationEntity), 1);
  t.is(await em.count(AccountKeyEntity), 1);
});

testOnEachDatabase(
  'a server with other secrets than the installation does not start',
  async (t, orm) => {
    const { installationId } = await start(orm);
    const otherKey = { ...secrets, masterKey: randomBytes(32) };
    await t.throwsAsync(start(orm, otherKey), {
      message: /master key in .* is not this installation/,
    });
    const otherPassphrase = { ...secrets, passphrase: 'another' };
    await t.throwsAsync(start(orm, otherPassphrase), { message: /passphrase in .* is not this/ });
    t.is((await start(orm)).installationId, installationId);
  },
);

testOnEachDatabase(
  'a server with another backup store than the last one knows it',
  async (t, orm) => {
    const startWith = async (folder: string): Promise<boolean> => {
      const config = testConfig({ SWIFTCACHE_BACKUP_URL: `file://${folder}` });
      return (await prepareInstallation({ orm, clock: systemClock, config }, secrets))
        .isOtherBackupStore;
    };
    t.false(await startWith('/one'), 'the first');
    t.false(await startWith('/one'));
    t.true(await startWith('/two'));
    t.false(await startWith('/two'), 'it has moved');
  },
);

testOnEachDatabase('neither secret is in the database', async (t, orm) => {
  await start(orm);
  const rows = JSON.stringify(await orm.em.fork().find(SettingEntity, {}));
  t.false(rows.includes(secrets.masterKey.toString('hex')));
  t.false(rows.includes(secrets.passphrase));
});

test('a passphrase from another place is read, and never made up', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'swiftcache-first-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'brought', 'passphrase');
  const config = testConfig({
    SWIFTCACHE_DATA_DIR: join(folder, 'data'),
    SWIFTCACHE_PASSPHRASE_FILE: file,
  });
  t.throws(() => prepareDataDirectory(config), { message: /passphrase file .* cannot be read/ });
  const brought = { ...config, passphraseFile: join(folder, 'passphrase') };
  writeFileSync(brought.passphraseFile, 'as it was brought\n');
  t.is(prepareDataDirectory(brought).passphrase, 'as it was brought');
});
