/**
 * The data directory: everything that a service must find again after a restart.
 *
 * Guarantees: made and read by its owner only (0700, files 0600); secrets are written once, whole or not
 * at all, and never replaced; a directory that was prepared is left as it is.
 *
 *   master.key   seals what the database keeps encrypted
 *   passphrase   encrypts the secrets in Pulumi's state
 *   tls/         what `npm run redis-ca` makes
 *   swiftcache.db, pulumi/, project/ or the repository's stacks/
 */
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from './config.ts';
import { randomHex } from './lib/crypto.ts';

export interface DataDirectory {
  readonly masterKey: Buffer;
  readonly passphrase: string;
}

/** Makes what is missing and reads the secrets. @throws when one is not there or not as it was written. */
export function prepareDataDirectory(config: Config): DataDirectory {
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
  if (config.stateBackendUrl.startsWith('file://')) {
    mkdirSync(config.stateBackendUrl.slice('file://'.length), { recursive: true, mode: 0o700 });
  }
  // One that lies elsewhere is somebody's to bring: another one made here would open nothing.
  const isOwn = dirname(config.passphraseFile) === config.dataDir;
  if (isOwn) writeOnce(config.passphraseFile, () => randomHex(32));
  const passphrase = readPassphrase(config.passphraseFile);
  if (config.masterKey) return { masterKey: config.masterKey, passphrase };
  writeOnce(config.masterKeyFile, () => `${randomHex(32)}\n`);
  return { masterKey: readMasterKey(config.masterKeyFile), passphrase };
}

function readPassphrase(file: string): string {
  try {
    // As Pulumi reads it.
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(`the passphrase file ${file} cannot be read (${code})`);
  }
}

function readMasterKey(file: string): Buffer {
  const text = readFileSync(file, 'utf8').trim();
  if (!/^[0-9a-f]{64}$/i.test(text)) {
    throw new Error(`${file} does not hold 64 hexadecimal digits: restore it from its backup`);
  }
  return Buffer.from(text, 'hex');
}

/** A link is made or refused by the file system at once, so two services never write two secrets. */
function writeOnce(file: string, makeText: () => string): void {
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, makeText(), { mode: 0o600 });
  try {
    linkSync(temporary, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
}
