/** Certificates for tests: an authority of their own, and files as an operator would have them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority, type Issued, issueServerCertificate } from '../../src/lib/private-ca.ts';

interface Owner {
  teardown(action: () => unknown): void;
}

export interface TestCertificate {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
  readonly authority: Issued;
  /** Puts another of the same authority in place of the present one, as an operator would. */
  replace(): Promise<Issued>;
}

export const testDomain = 'cache.test';
const names = ['localhost', '127.0.0.1', `*.redis.${testDomain}`] as const;

/** Makes an authority and a certificate for localhost and the instances of `testDomain`. */
export async function makeCertificate(owner: Owner): Promise<TestCertificate> {
  const folder = mkdtempSync(join(tmpdir(), 'swiftcache-tls-'));
  owner.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const authority = await createAuthority('Test', { now: new Date(), days: 2 });
  const [certFile, keyFile, caFile] = ['redis.crt', 'redis.key', 'ca.crt'].map((name) => {
    return join(folder, name);
  }) as [string, string, string];
  writeFileSync(caFile, authority.cert);
  const issue = (): Promise<Issued> =>
    issueServerCertificate(authority, [...names], { now: new Date(), days: 1 });
  async function replace(): Promise<Issued> {
    const issued = await issue();
    writeFileSync(keyFile, issued.key, { mode: 0o600 });
    writeFileSync(certFile, issued.cert);
    return issued;
  }
  await replace();
  return { certFile, keyFile, caFile, authority, replace };
}
