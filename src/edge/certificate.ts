/**
 * The door's certificate: read from its files, and read again when they change.
 *
 * Guarantees: what `current` gives fits together at all times: files that are being replaced, do not fit or
 * have expired leave the pair of before in use, and are told of once. The end of a certificate is told of
 * before it comes. No key is ever logged.
 */
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { startRepeating } from '../lib/repeat.ts';

export interface CertificateFiles {
  /** PEM: the server's certificate, then those between it and the root. */
  readonly certFile: string;
  /** PEM, without a passphrase. */
  readonly keyFile: string;
}

export interface CertificatePair {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** When the first certificate ends. */
  readonly endsAt: Date;
  /** How long before its end somebody should know. */
  readonly warnMs: number;
}

export interface CertificateWatch {
  readonly current: () => CertificatePair;
  /** Seconds until it ends; below zero where it has. */
  readLeftS(): number;
  stop(): Promise<void>;
}

interface WatchOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** How often the files are looked at. */
  readonly intervalMs: number;
  /** Told of each pair that takes the place of another. */
  readonly onChange: (pair: CertificatePair) => void;
}

/** The files cannot be used; one problem each, with the name of its setting. */
export class CertificateError extends Error {
  constructor(problems: readonly string[]) {
    super(`the certificate of the redis:// door cannot be used:\n  ${problems.join('\n  ')}`);
    this.name = 'CertificateError';
  }
}

const warnMsMax = 14 * 86_400_000;
const tellAgainMs = 86_400_000;

/**
 * Reads the files and goes on looking at them.
 * @throws {CertificateError} when they cannot be used now.
 */
export function watchCertificate(files: CertificateFiles, options: WatchOptions): CertificateWatch {
  const { clock, logger, intervalMs, onChange } = options;
  const first = [
    tryRead(() => readFileSync(files.certFile)),
    tryRead(() => readFileSync(files.keyFile)),
  ];
  let pair = checkPair(first[0] as Content, first[1] as Content, files);
  let seen = digestOf(first);
  let toldAtMs = Number.NEGATIVE_INFINITY;

  const readLeftMs = (): number => pair.endsAt.getTime() - clock.now().getTime();

  function tellEnd(): void {
    const nowMs = clock.now().getTime();
    const leftMs = readLeftMs();
    if (leftMs > pair.warnMs || nowMs - toldAtMs < tellAgainMs) return;
    toldAtMs = nowMs;
    const details = { endsAt: pair.endsAt.toISOString(), certFile: files.certFile };
    if (leftMs > 0) logger.warn(details, 'the certificate of the redis:// door ends soon');
    else logger.error(details, 'the certificate of the redis:// door has expired');
  }

  async function look(): Promise<void> {
    const contents = await Promise.all([readContent(files.certFile), readContent(files.keyFile)]);
    const digest = digestOf(contents);
    if (digest !== seen) {
      seen = digest;
      take(...contents);
    }
    tellEnd();
  }

  function take(cert: Content, key: Content): void {
    try {
      const next = checkPair(cert, key, files);
      const nowMs = clock.now().getTime();
      if (next.endsAt.getTime() <= nowMs && pair.endsAt.getTime() > nowMs) {
        throw new CertificateError(['SWIFTCACHE_REDIS_TLS_CERT_FILE: the new one has expired']);
      }
      pair = next;
      toldAtMs = Number.NEGATIVE_INFINITY;
      onChange(pair);
      const endsAt = pair.endsAt.toISOString();
      logger.info({ endsAt }, 'the redis:// door has a new certificate');
    } catch (error) {
      const { message } = error as Error;
      logger.error(
        { problem: message },
        'a new certificate was not taken; the one of before stays',
      );
    }
  }

  tellEnd();
  const onError = (error: unknown): void =>
    logger.error({ err: error }, 'no look at a certificate');
  const looking = startRepeating(look, { intervalMs, onError });
  const readLeftS = (): number => readLeftMs() / 1_000;
  return { current: () => pair, readLeftS, stop: looking.stop };
}

/** What a file holds, or the code of the error that it could not be read with. */
type Content = Buffer | string;

function tryRead(read: () => Buffer): Content {
  try {
    return read();
  } catch (error) {
    return codeOf(error);
  }
}

async function readContent(path: string): Promise<Content> {
  return await readFile(path).catch(codeOf);
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown error';
}

function digestOf(contents: readonly Content[]): string {
  return contents.map((one) => createHash('sha256').update(one).digest('hex')).join();
}

/** @throws {CertificateError} with everything that is wrong. */
function checkPair(cert: Content, key: Content, { certFile, keyFile }: CertificateFiles) {
  const problems: string[] = [];
  const certSetting = 'SWIFTCACHE_REDIS_TLS_CERT_FILE';
  const keySetting = 'SWIFTCACHE_REDIS_TLS_KEY_FILE';
  const certificate = readPart(cert, (pem) => new X509Certificate(pem));
  if (typeof certificate === 'string') problems.push(`${certSetting}: ${certFile}: ${certificate}`);
  const privateKey = readPart(key, (pem) => createPrivateKey(pem));
  if (typeof privateKey === 'string') problems.push(`${keySetting}: ${keyFile}: ${privateKey}`);
  if (typeof certificate === 'string' || typeof privateKey === 'string') {
    throw new CertificateError(problems);
  }
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new CertificateError([`${keySetting}: is not the key of the first certificate`]);
  }
  const pair = { cert: cert as Buffer, key: key as Buffer };
  try {
    createSecureContext(pair);
  } catch (error) {
    const { code = 'not accepted' } = error as NodeJS.ErrnoException;
    throw new CertificateError([`${certSetting}: OpenSSL does not take it (${code})`]);
  }
  const endsAt = new Date(certificate.validTo);
  const lifeMs = endsAt.getTime() - new Date(certificate.validFrom).getTime();
  // Those that live for days are renewed days before their end, not weeks.
  return { ...pair, endsAt, warnMs: Math.min(warnMsMax, lifeMs / 4) };
}

function readPart<Part>(content: Content, parse: (pem: Buffer) => Part): Part | string {
  if (typeof content === 'string') return `cannot be read (${content})`;
  try {
    return parse(content);
  } catch {
    // Both forms of a key with a passphrase say so.
    const isSealed = content.includes('ENCRYPTED');
    return isSealed ? 'has a passphrase; needs to be without' : 'holds none in PEM';
  }
}
