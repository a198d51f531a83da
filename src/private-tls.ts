/**
 * Makes the files of a private set-up's TLS (private-tls-files.ts): an authority once, and the door's
 * certificate from it, anew whenever asked.
 *
 * Guarantees: files are for their owner alone (0600, the folder 0700); the authority is never replaced, so
 * whoever trusts it goes on trusting; a door that runs sees whole files only.
 */
import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Config } from './config.ts';
import { createAuthority, type Issued, issueServerCertificate } from './lib/private-ca.ts';
import { replaceFile } from './lib/replace-file.ts';
import { locatePrivateTls, privateTlsFiles } from './private-tls-files.ts';

export interface PrivateTls {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly names: readonly string[];
  readonly isNewAuthority: boolean;
  readonly authorityEndsAt: Date;
  readonly endsAt: Date;
}

const authorityDays = 3_650;
/** Some clients take no certificate that holds for longer than 398 days. */
const certificateDays = 397;

/**
 * Makes the door's certificate, and the authority where there is none.
 * @param more names and addresses besides those that the configuration speaks of.
 * @throws when a file cannot be read or written, or is not what was written there.
 */
export async function makePrivateTls(
  config: Pick<Config, 'dataDir' | 'host' | 'publicHost' | 'door'>,
  { more, now }: { more: readonly string[]; now: Date },
): Promise<PrivateTls> {
  const folder = locatePrivateTls(config);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const [caFile, caKeyFile, certFile, keyFile] = privateTlsFiles.map((file) =>
    join(folder, file),
  ) as [string, string, string, string];
  const isNewAuthority = !existsSync(caFile);
  if (isNewAuthority) {
    const made = await createAuthority('SwiftCache private CA', { now, days: authorityDays });
    // The certificate last: it says that all of it is there.
    replaceFile(caKeyFile, made.key);
    replaceFile(caFile, made.cert);
  }
  const authority: Issued = {
    cert: readFileSync(caFile, 'utf8'),
    key: readFileSync(caKeyFile, 'utf8'),
  };
  const names = listNames(config, more);
  const issued = await issueServerCertificate(authority, names, { now, days: certificateDays });
  replaceFile(keyFile, issued.key);
  replaceFile(certFile, issued.cert);
  return {
    caFile,
    certFile,
    keyFile,
    names,
    isNewAuthority,
    authorityEndsAt: new Date(new X509Certificate(authority.cert).validTo),
    endsAt: new Date(new X509Certificate(issued.cert).validTo),
  };
}

/** Every name under which a client may reach the door. */
function listNames(
  { host, publicHost, door }: Pick<Config, 'host' | 'publicHost' | 'door'>,
  more: readonly string[],
): readonly [string, ...string[]] {
  const own = ['127.0.0.1', '::1', hostname(), publicHost];
  // An address that stands for all is nobody's.
  if (host !== '0.0.0.0' && host !== '::') own.push(host);
  if (door.domain) own.push(`redis.${door.domain}`, `*.redis.${door.domain}`);
  const others = new Set([...own, ...more]);
  others.delete('localhost');
  return ['localhost', ...others];
}
