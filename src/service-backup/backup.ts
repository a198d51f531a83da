/**
 * The backup of a service, made while it runs: database, keys, a private set-up's TLS, the stacks'
 * configuration and state.
 *
 * Guarantees: the database is read as it was at one moment; the stacks are read after it, and instances
 * that changed in between are named in the manifest, so that a restore brings them to their wish again;
 * nothing of it is on a disk in clear. The instances' data is not in it: that is what backups of
 * instances are for.
 */
import { readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Config, rootDir } from '../config.ts';
import { listRegions } from '../instances/regions.ts';
import { connectDatabase, type EntityManager, type Orm } from '../store/database.ts';
import { InstanceEntity } from '../store/entities/instance.ts';
import { SettingEntity } from '../store/entities/setting.ts';
import { ArchiveError, type ArchiveWriter, createArchive } from './archive.ts';
import { archiveFormat, type Manifest } from './manifest.ts';
import { exportState, listStates, readStackConfig } from './stack-files.ts';
import { dumpTables } from './tables.ts';
import { readTlsFiles } from './tls-files.ts';

export interface BackupReport {
  readonly bytes: number;
  readonly manifest: Omit<Manifest, 'members'>;
}

interface BackupOptions {
  readonly file: string;
  readonly passphrase: string;
  /** Told what is being done. */
  readonly say: (text: string) => void;
}

/** @throws {ArchiveError} where there is nothing to back up, or no place for it. */
export async function backUpService(
  config: Config,
  { file, passphrase, say }: BackupOptions,
): Promise<BackupReport> {
  await requireDatabase(config);
  const { orm, migrator } = await connectDatabase(config);
  try {
    if ((await migrator.getPending()).length > 0) {
      const message = 'The database is of an older version than this one: start the service first.';
      throw new ArchiveError(message);
    }
    const installation = await orm.em.fork().findOne(SettingEntity, { name: 'installation' });
    if (!installation) throw new ArchiveError('No service has run here: there is nothing to keep.');
    const archive = await createArchive(file, passphrase);
    try {
      const described = {
        format: archiveFormat,
        version: readVersion(),
        createdAt: new Date().toISOString(),
        installationId: installation.value,
        migrations: (await migrator.getExecuted()).map(({ name }) => name),
        ...(await writeParts(config, orm, archive, say)),
      } as const;
      return { bytes: await archive.finish(described), manifest: described };
    } catch (error) {
      await archive.abandon();
      throw error;
    }
  } finally {
    await orm.close();
  }
}

async function writeParts(
  config: Config,
  orm: Orm,
  archive: ArchiveWriter,
  say: (text: string) => void,
) {
  say('Keys');
  await archive.add('keys/passphrase', readKey(config.passphraseFile));
  const masterKey = config.masterKey?.toString('hex') ?? readKey(config.masterKeyFile);
  await archive.add('keys/master.key', masterKey);
  for (const [name, body] of readTlsFiles(config)) await archive.add(name, body);
  const before = await readMotion(orm);
  const tables = await writeTables(orm, archive, say);
  const { stacks, warnings } = await writeStacks(config, orm, archive, say);
  const after = await readMotion(orm);
  // What is no secret and is the operator's: for comparison with what the new machine has.
  for (const file of ['plans.json', 'policies/allowed-images.json']) {
    await archive.add(`files/${file}`, readFileSync(join(rootDir, file)));
  }
  return {
    masterKeyFrom: config.masterKey ? ('environment' as const) : ('file' as const),
    tables,
    stacks,
    warnings,
    images: [...new Set([...after.values()].map(({ image }) => image))].sort(),
    inMotion: [...after].flatMap(([id, { mark }]) => (before.get(id)?.mark === mark ? [] : [id])),
  };
}

async function writeTables(
  orm: Orm,
  archive: ArchiveWriter,
  say: (text: string) => void,
): Promise<Record<string, number>> {
  say('Database');
  const tables: Record<string, number> = {};
  let number = 0;
  await dumpTables(orm, async ({ table, rows, text }) => {
    number += 1;
    tables[table] = (tables[table] ?? 0) + rows;
    await archive.add(`database/${String(number).padStart(6, '0')}-${table}.ndjson`, text);
    say(`  ${table}: ${tables[table]}`);
  });
  return tables;
}

/** By the rows, not by what lies here: of several servers, each has the files of what it ran itself. */
async function writeStacks(
  config: Config,
  orm: Orm,
  archive: ArchiveWriter,
  say: (text: string) => void,
): Promise<{ stacks: string[]; warnings: string[] }> {
  const expected = await listExpected(config, orm);
  const states = await listStates(config);
  const stacks: string[] = [];
  const warnings: string[] = [];
  say(`Stacks: ${expected.size}`);
  for (const [stack, wasMade] of expected) {
    const file = readStackConfig(config, stack);
    if (file) await archive.add(`stacks/Pulumi.${stack}.yaml`, file);
    try {
      const state = states.has(stack) ? await exportState(config, stack) : undefined;
      if (state) await archive.add(`state/${stack}.json`, state);
      else if (file || wasMade)
        warnings.push(`The stack ${stack} has no state to be found from here.`);
      if (state || file) stacks.push(stack);
    } catch {
      warnings.push(`The state of ${stack} could not be read, and is not in the archive.`);
    }
    if (stacks.length % 50 === 0 && stacks.length > 0)
      say(`  ${stacks.length} of ${expected.size}`);
  }
  return { stacks, warnings };
}

/** The stacks of the rows, with whether they were made once: the regions that are used, the live instances. */
async function listExpected(config: Config, orm: Orm): Promise<Map<string, boolean>> {
  const em = orm.em.fork() as EntityManager;
  const live = { status: { $ne: 'DELETED' as const } };
  const instances = await em.find(InstanceEntity, live, { fields: ['id', 'region', 'nodeHost'] });
  const isUsed = (region: string): boolean =>
    instances.some((instance) => instance.region === region && instance.nodeHost !== null);
  return new Map([
    ...listRegions(config).map(({ region }) => [region, isUsed(region)] as const),
    ...instances.map(({ id, nodeHost }) => [id, nodeHost !== null] as const),
  ]);
}

/** Of each live instance, what changes with every run and every wish. */
async function readMotion(orm: Orm): Promise<Map<string, { mark: string; image: string }>> {
  const em = orm.em.fork() as EntityManager;
  const rows = await em.execute<
    {
      id: string;
      generation: number;
      applied_generation: number;
      lease_epoch: number;
      image: string;
    }[]
  >(`select id, generation, applied_generation, lease_epoch, image from instances
     where status <> 'DELETED'`);
  return new Map(
    rows.map(({ id, image, ...numbers }) => [id, { mark: Object.values(numbers).join(), image }]),
  );
}

function readKey(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const message = `${file} cannot be read: give this command the variables of a service with secrets.`;
    throw new ArchiveError(message, { cause: error });
  }
}

async function requireDatabase({ databaseUrl, databaseFile }: Config): Promise<void> {
  if (databaseUrl) return;
  await stat(databaseFile).catch(() => {
    throw new ArchiveError(`There is no database at ${databaseFile}: is SWIFTCACHE_DATA_DIR set?`);
  });
}

function readVersion(): string {
  const text = readFileSync(join(rootDir, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
