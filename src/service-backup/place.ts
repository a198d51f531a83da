/**
 * The files of a service where a restore puts them: keys, TLS, project, stacks. The database is beside it.
 *
 * Guarantees: what is there is moved, not removed, and can be moved back; only what belongs to this service is
 * touched, of a state backend its own project alone; backups of instances stay where they are.
 */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import type { Config } from '../config.ts';
import { locatePrivateTls } from '../private-tls-files.ts';
import { stateFolder } from '../provisioning/file-backend.ts';
import { locateProject, prepareProject } from '../provisioning/project.ts';
import { ArchiveError } from './archive.ts';
import { importStates, listStacks, stateFolders, writeStackConfig } from './stack-files.ts';
import { hasTlsFiles, writeTlsFiles } from './tls-files.ts';

/** The members of an archive that are no rows, by name. */
export type SmallMembers = ReadonlyMap<string, Buffer>;

/** A place that was cleared, and what it takes to have it as it was. */
export interface ClearedPlace {
  /** Where what was there is now; undefined where nothing was. */
  readonly aside: string | undefined;
  /** Removes what was written since and moves everything back. */
  undo(): void;
}

/**
 * Moves what is there to names of its own.
 * @param isUsed whether a service has run there: then the whole data directory goes, else what set-up made.
 * @param members of the archive that is to come.
 */
export function clearPlace(config: Config, isUsed: boolean, members: SmallMembers): ClearedPlace {
  const list = (): string[] => listPaths(config, isUsed, members);
  const stamp = new Date().toISOString().replaceAll(/[-:]|\..*/g, '');
  const mark = `before-restore-${stamp}`;
  const aside = `${config.dataDir}.${mark}`;
  const moved: { readonly from: string; readonly to: string }[] = [];
  const moveBack = (): void => {
    for (const { from, to } of moved.toReversed()) renameSync(to, from);
    // What is left of it is empty folders.
    rmSync(aside, { recursive: true, force: true });
  };
  const undo = (): void => {
    for (const path of list()) rmSync(path, { recursive: true, force: true });
    moveBack();
  };
  try {
    for (const from of list()) {
      if (!existsSync(from)) continue;
      const to = nameAside(config, from, mark);
      mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
      renameSync(from, to);
      moved.push({ from, to });
    }
  } catch (error) {
    moveBack();
    throw error;
  }
  return { aside: moved.length > 0 ? aside : undefined, undo };
}

/** What is in the data directory lies by the same names in `aside`; what lies elsewhere, beside its old place. */
function nameAside(config: Config, path: string, mark: string): string {
  const { dataDir, stateBackendUrl } = config;
  const aside = `${dataDir}.${mark}`;
  if (isWithin(dataDir, path)) return join(aside, relative(dataDir, path));
  if (dirname(path) === locateProject(config).stacksDir)
    return join(aside, 'stacks', basename(path));
  const stateDir = stateFolder(stateBackendUrl);
  if (stateDir && isWithin(stateDir, path))
    return join(`${stateDir}.${mark}`, relative(stateDir, path));
  return `${path}.${mark}`;
}

/** What a restore makes room for. */
function listPaths(config: Config, isUsed: boolean, members: SmallMembers): string[] {
  const { masterKeyFile, databaseUrl, databaseFile, dataDir } = config;
  const { stacksDir } = locateProject(config);
  const own = [
    masterKeyFile,
    ...(isOwnPassphrase(config) ? [config.passphraseFile] : []),
    ...(hasTlsFiles(members) ? [locatePrivateTls(config)] : []),
    ...(databaseUrl ? [] : ['', '-wal', '-shm'].map((end) => `${databaseFile}${end}`)),
    ...stateFolders(config),
    ...listStacks(config).map((stack) => join(stacksDir, `Pulumi.${stack}.yaml`)),
  ];
  if (!isUsed || !existsSync(dataDir)) return own;
  const kept = backupsWithin(config);
  const entries = readdirSync(dataDir).filter((entry) => entry !== kept);
  return [...entries.map((entry) => join(dataDir, entry)), ...own];
}

/** What of the data directory holds the backups of instances: no archive has them, and rows name them. */
function backupsWithin({ backupUrl, dataDir }: Config): string | undefined {
  if (!backupUrl.startsWith('file://')) return undefined;
  const folder = backupUrl.slice('file://'.length);
  return isWithin(dataDir, folder) ? relative(dataDir, folder).split(sep)[0] : undefined;
}

function isWithin(folder: string, path: string): boolean {
  return path.startsWith(`${folder}${sep}`);
}

/** Writes keys, stack configuration and state. @throws {ArchiveError} where a foreign passphrase is there. */
export async function writePlace(
  config: Config,
  members: SmallMembers,
  say: (text: string) => void,
): Promise<void> {
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
  chmodSync(config.dataDir, 0o700);
  writePassphrase(config, required(members, 'keys/passphrase'));
  if (!config.masterKey) {
    writeFileSync(config.masterKeyFile, `${archivedMasterKey(members)}\n`, { mode: 0o600 });
  }
  writeTlsFiles(config, members);
  prepareProject(config);
  const states = new Map(pick(members, /^state\/(.+)\.json$/));
  const left = await importStates(config, states);
  if (left.length > 0) say(`  left as the backend has them: ${left.join(', ')}`);
  // After the states: Pulumi writes a configuration of its own for a stack that it makes.
  for (const [stack, body] of pick(members, /^stacks\/Pulumi\.(.+)\.yaml$/)) {
    writeStackConfig(config, stack, body);
  }
}

/** A key opens what another service has sealed: none is ever replaced without being asked for. */
export function requireSameMasterKey(
  { masterKey, masterKeyFile }: Config,
  members: SmallMembers,
  replace: boolean,
): void {
  const archived = archivedMasterKey(members);
  if (masterKey && archived !== masterKey.toString('hex')) {
    throw new ArchiveError(
      'SWIFTCACHE_MASTER_KEY is not the key of this archive: unset it, and the archive brings its own.',
    );
  }
  if (masterKey || replace || !existsSync(masterKeyFile)) return;
  if (readFileSync(masterKeyFile, 'utf8').trim() === archived) return;
  throw new ArchiveError(
    `${masterKeyFile} is not the key of this archive: add --replace, which puts it aside.`,
  );
}

/** The master key of an archive, as digits. */
function archivedMasterKey(members: SmallMembers): string {
  return required(members, 'keys/master.key').toString('utf8').trim();
}

function writePassphrase(config: Config, passphrase: Buffer): void {
  const { passphraseFile } = config;
  if (existsSync(passphraseFile)) {
    if (readFileSync(passphraseFile, 'utf8').trim() === passphrase.toString('utf8').trim()) return;
    throw new ArchiveError(`${passphraseFile} holds another passphrase than the archive.`);
  }
  mkdirSync(dirname(passphraseFile), { recursive: true, mode: 0o700 });
  writeFileSync(passphraseFile, passphrase, { mode: 0o600 });
}

/** One that lies elsewhere is the operator's. */
function isOwnPassphrase({ passphraseFile, dataDir }: Config): boolean {
  return dirname(passphraseFile) === dataDir;
}

function required(members: SmallMembers, name: string): Buffer {
  const body = members.get(name);
  if (!body) throw new ArchiveError(`The archive has no ${name}: it is no service archive.`);
  return body;
}

/** The members whose names fit, by what the pattern's group found. */
function pick(members: SmallMembers, pattern: RegExp): [string, Buffer][] {
  return [...members].flatMap(([name, body]) => {
    const found = pattern.exec(name)?.[1];
    return found === undefined ? [] : [[found, body] as [string, Buffer]];
  });
}
