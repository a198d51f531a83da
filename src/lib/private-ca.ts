/**
 * A certificate authority of one's own, and certificates of servers from it (X.509 v3, ECDSA P-256).
 *
 * Guarantees: the authority may sign certificates of servers and no further authorities; a certificate holds
 * the names given and serves servers alone; keys come from the system's random source.
 */
// The library below finds its parts through it, and it has to be there first.
import 'reflect-metadata';
import type { webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';

/** Both in PEM; `cert` holds the certificate alone. */
export interface Issued {
  readonly cert: string;
  readonly key: string;
}

interface IssueOptions {
  readonly now: Date;
  readonly days: number;
}

const keyAlgorithm = { name: 'ECDSA', namedCurve: 'P-256' };
const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' };
/** A client's clock may be behind by so much. */
const backdateMs = 3_600_000;

/** Makes a new authority. @param name what certificate viewers call it. */
export async function createAuthority(name: string, options: IssueOptions): Promise<Issued> {
  const keys = await makeKeys();
  const { cRLSign, keyCertSign } = x509.KeyUsageFlags;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [name] }],
    ...validity(options),
    signingAlgorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(keyCertSign | cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return await toPem(certificate, keys);
}

/**
 * Makes a certificate for a server, with a key of its own.
 * @param names host names (`*.example.com` for all of one level) and IP addresses; at least one.
 * @throws when `authority` is not a pair that createAuthority made.
 */
export async function issueServerCertificate(
  authority: Issued,
  names: readonly [string, ...string[]],
  options: IssueOptions,
): Promise<Issued> {
  const issuer = new x509.X509Certificate(authority.cert);
  const signingKey = await readPrivateKey(authority.key);
  const keys = await makeKeys();
  const alternatives = names.map((value): x509.JsonGeneralName => {
    return { type: isIP(value) ? 'ip' : 'dns', value };
  });
  const certificate = await x509.X509CertificateGenerator.create({
    // Names stand in the extension; a subject may be no longer than 64 characters.
    subject: [{ CN: ['SwiftCache redis'] }],
    issuer: issuer.subjectName,
    ...validity(options),
    signingAlgorithm,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(alternatives),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  return await toPem(certificate, keys);
}

async function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return await crypto.subtle.generateKey(keyAlgorithm, true, ['sign', 'verify']);
}

async function readPrivateKey(pem: string): Promise<webcrypto.CryptoKey> {
  const [der] = x509.PemConverter.decode(pem);
  return await crypto.subtle.importKey('pkcs8', der as ArrayBuffer, keyAlgorithm, false, ['sign']);
}

function validity({ now, days }: IssueOptions): { notBefore: Date; notAfter: Date } {
  return {
    notBefore: new Date(now.getTime() - backdateMs),
    notAfter: new Date(now.getTime() + days * 86_400_000),
  };
}

async function toPem(
  certificate: x509.X509Certificate,
  keys: webcrypto.CryptoKeyPair,
): Promise<Issued> {
  const pkcs8 = await crypto.subtle.exportKey('pkcs8', keys.privateKey);
  const key = `${x509.PemConverter.encode(pkcs8, 'PRIVATE KEY')}\n`;
  return { cert: `${certificate.toString('pem')}\n`, key };
}
