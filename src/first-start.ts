/**
 * What an installation is born with: its id, its first organization, and the mark of its secrets.
 *
 * Guarantees: of several servers that start at the same time on one database, one makes it and the others
 * find it; a server whose master key or passphrase is another than the installation's does not start, since
 * what it wrote nobody else could read; one with another backup store says so. The database keeps only
 * fingerprints, which tell nothing.
 */
import { type Bootstrap, bootstrapOrganization } from './accounts/account-keys.ts';
import type { Config } from './config.ts';
import type { DataDirectory } from './data-directory.ts';
import type { Clock } from './lib/clock.ts';
import { createFingerprint } from './lib/crypto.ts';
import { ensureInstallationId } from './provisioning/installation.ts';
import type { Orm } from './store/database.ts';
import { SettingEntity } from './store/entities/setting.ts';
import { inStartTurn } from './store/start-turn.ts';

interface FirstStart extends Bootstrap {
  readonly installationId: string;
  /** Another server, or this one before, has its backups in another store. */
  readonly isOtherBackupStore: boolean;
}

interface FirstServices {
  readonly orm: Orm;
  readonly clock: Clock;
  readonly config: Config;
}

/** Makes or finds it. @throws an Error that says which secret is not the installation's. */
export async function prepareInstallation(
  services: FirstServices,
  secrets: DataDirectory,
): Promise<FirstStart> {
  const { orm, config } = services;
  return await inStartTurn(orm, async () => {
    await checkSecrets(orm, secrets, config);
    const isOtherBackupStore = await noteBackupStore(orm, secrets, config);
    const bootstrap = await bootstrapOrganization(services, config.bootstrapAccountKey);
    return {
      ...bootstrap,
      installationId: await ensureInstallationId(orm),
      isOtherBackupStore,
    };
  });
}

async function checkSecrets(
  orm: Orm,
  { masterKey, passphrase }: DataDirectory,
  config: Config,
): Promise<void> {
  const fingerprint = createFingerprint(masterKey);
  const keySource = config.masterKey ? 'SWIFTCACHE_MASTER_KEY' : config.masterKeyFile;
  const same = 'every server of an installation needs the same one (docs/operators.md)';
  if (!(await isKnown(orm, 'check/master-key', fingerprint('installation')))) {
    throw new Error(`the master key in ${keySource} is not this installation's: ${same}`);
  }
  if (!(await isKnown(orm, 'check/passphrase', fingerprint(`passphrase/${passphrase}`)))) {
    throw new Error(
      `the passphrase in ${config.passphraseFile} is not this installation's: ${same}`,
    );
  }
}

/** A store may move, its objects with it: another one is told, not refused, and then the known one. */
async function noteBackupStore(
  orm: Orm,
  { masterKey }: DataDirectory,
  { backupUrl }: Config,
): Promise<boolean> {
  const name = 'check/backup-store';
  const value = createFingerprint(masterKey)(`backups/${backupUrl}`);
  if (await isKnown(orm, name, value)) return false;
  await orm.em.fork().nativeUpdate(SettingEntity, { name }, { value });
  return true;
}

/** Whether the setting has this value; one that is not there yet takes it. */
async function isKnown(orm: Orm, name: string, value: string): Promise<boolean> {
  const em = orm.em.fork();
  const found = await em.findOne(SettingEntity, { name });
  if (found) return found.value === value;
  em.create(SettingEntity, { name, value });
  await em.flush();
  return true;
}
