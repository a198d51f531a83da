/**
 * The restore of a service from its archive, on a machine where none has run yet.
 *
 * Guarantees: the archive is read and checked whole before anything is written; what is there is never
 * overwritten or removed, it is refused or, where that is asked for, put aside; after what breaks off it is
 * back in its place, and nothing of the archive is left, in the database neither.
 * Afterwards nobody holds a lease, and instances that were in motion when the backup was made go through
 * recovery first. Containers are not touched: the service finds them when it starts.
 */
import { existsSync } from 'node:fs';
import type { Config } from '../config.ts';
import { connectDatabase, migrationNames } from '../store/database.ts';
import { OrganizationEntity } from '../store/entities/organization.ts';
import { ArchiveError, readArchive, verifyArchive } from './archive.ts';
import type { Manifest } from './manifest.ts';
import { type ClearedPlace, clearPlace, requireSameMasterKey, writePlace } from './place.ts';
import { restoreDatabase } from './restore-database.ts';
import { hasStateFiles, listStacks } from './stack-files.ts';

interface RestoreOptions {
  readonly file: string;
  readonly passphrase: string;
  /** Puts aside what is there instead of refusing. */
  readonly replace: boolean;
  readonly say: (text: string) => void;
}

export interface RestoreReport {
  readonly manifest: Manifest;
  /** Where what was there is now; undefined where nothing was. */
  readonly putAside: string | undefined;
  /** Files of the archive that belong to the repository: their path in it, and their text. */
  readonly files: ReadonlyMap<string, string>;
}

/** @throws {ArchiveError} for an archive that cannot be used, or a place that is in use. */
export async function restoreService(
  config: Config,
  { file, passphrase, replace, say }: RestoreOptions,
): Promise<RestoreReport> {
  const problem = await findUse(config);
  if (problem && !(replace && problem.canBePutAside)) throw new ArchiveError(problem.text);
  say('Checking the archive');
  const isSmall = (name: string): boolean => !name.startsWith('database/');
  const { manifest, kept: small } = await verifyArchive(file, passphrase, isSmall);
  requireSameMasterKey(config, small, replace);
  requireKnownMigrations(manifest);
  const cleared = clearPlace(config, problem !== undefined, small);
  if (cleared.aside) say(`What is here goes to ${cleared.aside}`);
  try {
    say('Keys and stacks');
    await writePlace(config, small, say);
    say('Database');
    await restoreDatabase(config, manifest, readArchive(file, passphrase));
  } catch (error) {
    putBack(cleared, error);
    throw error;
  }
  const files = [...small].flatMap(([name, body]) => {
    return name.startsWith('files/')
      ? [[name.slice('files/'.length), body.toString()] as const]
      : [];
  });
  return { manifest, putAside: cleared.aside, files: new Map(files) };
}

/** @throws {ArchiveError} where that fails too: with the name of what was put aside. */
function putBack({ aside, undo }: ClearedPlace, reason: unknown): void {
  try {
    undo();
  } catch (error) {
    const why = reason instanceof Error ? reason.message : String(reason);
    const message = `${why}\nWhat was here could not be moved back: it is in ${aside}.`;
    throw new ArchiveError(message, { cause: error });
  }
}

/** @throws where the archive is of a newer version than this one. */
function requireKnownMigrations(manifest: Manifest): void {
  if (manifest.migrations.every((name) => migrationNames.includes(name))) return;
  throw new ArchiveError(
    `The archive is of version ${manifest.version}, which is newer than this one: update first.`,
  );
}

interface Use {
  readonly text: string;
  readonly canBePutAside: boolean;
}

/** Whether a service has run here; what set-up alone has made is no use. */
async function findUse(config: Config): Promise<Use | undefined> {
  if (config.databaseUrl && (await hasOrganizations(config))) {
    const text = 'The database has rows already: give the restore an empty one.';
    return { text, canBePutAside: false };
  }
  const isUsed =
    listStacks(config).length > 0 ||
    hasStateFiles(config) ||
    (!config.databaseUrl && existsSync(config.databaseFile) && (await hasOrganizations(config)));
  const text =
    `A service has run in ${config.dataDir}. Restore to another SWIFTCACHE_DATA_DIR, or end that ` +
    'service and add --replace, which puts its files aside.';
  return isUsed ? { text, canBePutAside: true } : undefined;
}

async function hasOrganizations(config: Config): Promise<boolean> {
  const { orm, migrator } = await connectDatabase(config);
  try {
    if ((await migrator.getExecuted()).length === 0) return false;
    return (await orm.em.fork().count(OrganizationEntity)) > 0;
  } finally {
    await orm.close();
  }
}
