/** The files of a service where a restore puts them: keys, project, stacks. The database is beside it. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Config } from '../config.ts';
import { locateProject, prepareProject } from '../provisioning/project.ts';
import { ArchiveError } from './archive.ts';
import { importStates, listStacks, writeStackConfig } from './stack-files.ts';

/** The members of an archive that are no rows, by name. */
export type SmallMembers = ReadonlyMap<string, Buffer>;

/** Moves everything that is there to names of its own; gives that of the data directory. */
export function putPlaceAside(config: Config): string {
  const { dataDir } = config;
  const stamp = new Date().toISOString().replaceAll(/[-:]|\..*/g, '');
  const mark = `before-restore-${stamp}`;
  const aside = `${dataDir}.${mark}`;
  const paths = ownPaths(config);
  if (existsSync(dataDir)) renameSync(dataDir, aside);
  mkdirSync(join(aside, 'stacks'), { recursive: true, mode: 0o700 });
  // What is left lies elsewhere: the repository's stacks, or a database or a state with a place of its own.
  for (const path of paths.filter(existsSync)) {
    const isStack = dirname(path) === locateProject(config).stacksDir;
    renameSync(path, isStack ? join(aside, 'stacks', basename(path)) : `${path}.${mark}`);
  }
  return aside;
}

/** Removes what set-up or a restore that broke off has made here, and nothing else. */
export function clearPlace(config: Config): void {
  for (const path of ownPaths(config)) rmSync(path, { recursive: true, force: true });
}

/** Everything that a service with this configuration has in files, but for backups of instances. */
function ownPaths(config: Config): string[] {
  const { masterKeyFile, databaseUrl, databaseFile, stateBackendUrl } = config;
  const { stacksDir } = locateProject(config);
  return [
    masterKeyFile,
    ...(isOwnPassphrase(config) ? [config.passphraseFile] : []),
    ...(databaseUrl ? [] : ['', '-wal', '-shm'].map((end) => `${databaseFile}${end}`)),
    ...(stateBackendUrl.startsWith('file://')
      ? [join(stateBackendUrl.slice('file://'.length), '.pulumi')]
      : []),
    ...listStacks(config).map((stack) => join(stacksDir, `Pulumi.${stack}.yaml`)),
  ];
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
  const masterKey = required(members, 'keys/master.key').toString('utf8').trim();
  if (!config.masterKey) writeFileSync(config.masterKeyFile, `${masterKey}\n`, { mode: 0o600 });
  prepareProject(config);
  const states = new Map(pick(members, /^state\/(.+)\.json$/));
  const left = await importStates(config, states);
  if (left.length > 0) say(`  left as the backend has them: ${left.join(', ')}`);
  // After the states: Pulumi writes a configuration of its own for a stack that it makes.
  for (const [stack, body] of pick(members, /^stacks\/Pulumi\.(.+)\.yaml$/)) {
    writeStackConfig(config, stack, body);
  }
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
