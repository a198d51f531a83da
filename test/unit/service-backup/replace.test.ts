import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { prepareDataDirectory } from '../../../src/data-directory.ts';
import { makePrivateTls } from '../../../src/private-tls.ts';
import { ensureInstallationId } from '../../../src/provisioning/installation.ts';
import { backUpService } from '../../../src/service-backup/backup.ts';
import { restoreService } from '../../../src/service-backup/restore.ts';
import { openDatabase } from '../../../src/store/database.ts';
import { OrganizationEntity } from '../../../src/store/entities/organization.ts';
import { temporaryFolder } from '../../support/folders.ts';
import { addInstance, addOrganization } from '../../support/rows.ts';
import { testConfig } from '../../support/test-config.ts';

test('a restore over a service refuses, and where it is told to, puts aside what is there', async (t) => {
  const folder = temporaryFolder(t);
  const config = testConfig({ SWIFTCACHE_DATA_DIR: join(folder, 'data') });
  prepareDataDirectory(config);
  const orm = await openDatabase(config);
  const installationId = await ensureInstallationId(orm);
  const tls = await makePrivateTls(config, { more: [], now: new Date() });
  const authority = readFileSync(tls.caFile, 'utf8');
  const { id } = await addOrganization(orm);
  const file = join(folder, 'service.age');
  const options = { file, passphrase: 'correct horse battery staple', say: () => {} };
  // Its state is in the file of another server, which this one has not.
  const instance = await addInstance(orm, { organizationId: id, nodeHost: '127.0.0.1' });
  const { manifest: made } = await backUpService(config, options);
  t.true(made.warnings.some((text) => text.includes(`${instance.id} has no state`)));
  const later = await addOrganization(orm);
  writeFileSync(tls.caFile, 'of a later time');
  await orm.close();
  const key = readFileSync(config.masterKeyFile, 'utf8');

  const refused = restoreService(config, { ...options, replace: false });
  await t.throwsAsync(refused, { message: /A service has run in/ });
  t.is(readFileSync(config.masterKeyFile, 'utf8'), key);

  // It breaks off once the place is cleared: the passphrase that is to be used is another service's.
  const foreign = join(temporaryFolder(t), 'passphrase');
  writeFileSync(foreign, 'of another service', { mode: 0o600 });
  const broken = restoreService(
    { ...config, passphraseFile: foreign },
    { ...options, replace: true },
  );
  await t.throwsAsync(broken, { message: /holds another passphrase/ });
  t.deepEqual(readdirSync(folder).sort(), ['data', 'service.age']);
  t.is(readFileSync(config.masterKeyFile, 'utf8'), key);

  const { manifest, putAside } = await restoreService(config, { ...options, replace: true });
  t.is(manifest.installationId, installationId);
  t.is(readFileSync(tls.caFile, 'utf8'), authority);
  t.true(readFileSync(tls.keyFile, 'utf8').includes('PRIVATE KEY'));
  const restored = await openDatabase(config);
  t.teardown(() => restored.close());
  const organizations = await restored.em.fork().find(OrganizationEntity, {});
  t.deepEqual(
    organizations.map((organization) => organization.id),
    [id],
  );
  t.is(readFileSync(config.masterKeyFile, 'utf8'), key);
  const aside = await openDatabase({
    ...config,
    databaseFile: join(putAside ?? '', 'swiftcache.db'),
  });
  t.teardown(() => aside.close());
  t.is(await aside.em.fork().count(OrganizationEntity, { id: later.id }), 1);
  t.true(existsSync(join(putAside ?? '', 'master.key')));
  t.is(readdirSync(folder).length, 3);
});
