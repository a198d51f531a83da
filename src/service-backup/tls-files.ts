/**
 * The authority and the certificate of a private set-up (`npm run redis-ca`) in an archive, each file as it is:
 * clients that trust the authority go on trusting it after a restore. A certificate that lies elsewhere is the
 * operator's.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config.ts';
import { locatePrivateTls, privateTlsFiles } from '../private-tls-files.ts';
import { readIfThere } from './stack-files.ts';

type Place = Pick<Config, 'dataDir'>;
type Members = ReadonlyMap<string, Buffer>;

/** The files that are there, by their names in an archive. */
export function readTlsFiles(config: Place): Map<string, Buffer> {
  const folder = locatePrivateTls(config);
  return new Map(
    privateTlsFiles.flatMap((file) => {
      const body = readIfThere(join(folder, file));
      return body ? [[memberOf(file), body] as const] : [];
    }),
  );
}

/** Whether an archive brings any. */
export function hasTlsFiles(members: Members): boolean {
  return privateTlsFiles.some((file) => members.has(memberOf(file)));
}

/** Writes those of an archive, for their owner alone. */
export function writeTlsFiles(config: Place, members: Members): void {
  if (!hasTlsFiles(members)) return;
  const folder = locatePrivateTls(config);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const file of privateTlsFiles) {
    const body = members.get(memberOf(file));
    if (body) writeFileSync(join(folder, file), body, { mode: 0o600 });
  }
}

function memberOf(file: string): string {
  return `tls/${file}`;
}
