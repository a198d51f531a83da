import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { CertificateError, watchCertificate } from '../../../src/edge/certificate.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { issueServerCertificate } from '../../../src/lib/private-ca.ts';
import { pollUntil } from '../../../src/lib/retry.ts';
import { makeCertificate, type TestCertificate } from '../../support/certificates.ts';
import { captureLog } from '../../support/log-lines.ts';
import { openTlsDoor } from './tls-door.ts';

const patience = { timeoutMs: 10_000, intervalMs: 10 };
const intervalMs = 10;

test('after its files changed, new connections get the new certificate and old ones live on', async (t) => {
  const { certificate, secure, port, tlsPort, secret } = await openTlsDoor(t);
  const old = await secure(tlsPort);
  old.send(`AUTH ${secret}\r\n`);
  t.is(await old.readLine(), '+OK');
  const before = old.socket.getPeerX509Certificate()?.serialNumber;
  const { serialNumber } = new X509Certificate((await certificate.replace()).cert);
  t.not(serialNumber, before);
  for (const number of [port, tlsPort]) {
    const { send, readLine } = await pollUntil(async () => {
      const client = await secure(number);
      return client.socket.getPeerX509Certificate()?.serialNumber === serialNumber
        ? client
        : undefined;
    }, patience);
    send(`AUTH ${secret}\r\n`);
    t.is(await readLine(), '+OK');
  }
  old.send('still here\r\n');
  t.is(await old.readLine(), 'still here');
});

test('what does not fit, cannot be read or has expired leaves the one of before, told once', async (t) => {
  const certificate = await makeCertificate(t);
  const good = readFileSync(certificate.certFile);
  const { watch, changes, problems } = startWatch(t, certificate);
  const day = 86_400_000;
  const expired = await issueServerCertificate(certificate.authority, ['localhost'], {
    now: new Date(Date.now() - 3 * day),
    days: 1,
  });
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const otherKey = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const spoil: readonly [() => void, RegExp][] = [
    [() => writeFileSync(certificate.keyFile, otherKey), /KEY_FILE: is not the key of/],
    [() => writeFileSync(certificate.certFile, 'x'), /CERT_FILE: .*holds none in PEM/],
    [() => rmSync(certificate.certFile), /CERT_FILE: .*cannot be read \(ENOENT\)/],
    [
      () => {
        writeFileSync(certificate.keyFile, expired.key);
        writeFileSync(certificate.certFile, expired.cert);
      },
      /CERT_FILE: the new one has expired/,
    ],
  ];
  for (const [change, problem] of spoil) {
    change();
    await pollUntil(
      async () => problems().some((text) => problem.test(text)) || undefined,
      patience,
    );
  }
  const told = problems().length;
  await sleep(10 * intervalMs);
  t.is(problems().length, told);
  t.is(changes.length, 0);
  t.deepEqual(watch.current().cert, good);
  const { cert } = await certificate.replace();
  await pollUntil(async () => String(watch.current().cert) === cert || undefined, patience);
  t.is(changes.length, 1);
});

test('files that cannot be used at the start are told of together, with their settings', async (t) => {
  const files = { certFile: '/nonexistent/redis.crt', keyFile: '/nonexistent/redis.key' };
  const error = t.throws(() => startWatch(t, files), { instanceOf: CertificateError });
  t.regex(
    error?.message ?? '',
    /SWIFTCACHE_REDIS_TLS_CERT_FILE: .*redis\.crt: cannot be read \(ENOENT\)/,
  );
  t.regex(
    error?.message ?? '',
    /SWIFTCACHE_REDIS_TLS_KEY_FILE: .*redis\.key: cannot be read \(ENOENT\)/,
  );
});

test('a key that has a passphrase is told of as such, and no key is ever in the words', async (t) => {
  const certificate = await makeCertificate(t);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const sealed = privateKey.export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'secret',
  });
  writeFileSync(certificate.keyFile, sealed);
  const error = t.throws(() => startWatch(t, certificate), { instanceOf: CertificateError });
  t.regex(error?.message ?? '', /KEY_FILE: .*has a passphrase/);
  t.false((error?.message ?? '').includes('PRIVATE'));
});

test('the end of a certificate is told of before it comes, once a day, and then as an error', async (t) => {
  const certificate = await makeCertificate(t);
  const { endsAt } = startWatch(t, certificate).watch.current();
  let nowMs = endsAt.getTime() - 86_400_000 / 2;
  const { lines } = startWatch(t, certificate, { now: () => new Date(nowMs) });
  const told = (text: string): number => lines().filter(({ msg }) => msg?.includes(text)).length;
  await sleep(5 * intervalMs);
  t.is(told('ends soon'), 0);
  nowMs = endsAt.getTime() - 3_600_000;
  await pollUntil(async () => told('ends soon') === 1 || undefined, patience);
  await sleep(5 * intervalMs);
  t.is(told('ends soon'), 1);
  nowMs = endsAt.getTime() + 86_400_000;
  await pollUntil(async () => told('has expired') === 1 || undefined, patience);
  t.is(told('ends soon'), 1);
});

function startWatch(
  t: { teardown(action: () => unknown): void },
  files: Pick<TestCertificate, 'certFile' | 'keyFile'>,
  clock = systemClock,
) {
  const changes: unknown[] = [];
  const { logger, text } = captureLog('debug');
  const onChange = (pair: unknown): void => void changes.push(pair);
  const watch = watchCertificate(files, { clock, logger, intervalMs, onChange });
  t.teardown(() => watch.stop());
  const lines = (): { msg?: string; problem?: string }[] =>
    text()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  const problems = (): string[] => lines().flatMap(({ problem }) => problem ?? []);
  return { watch, changes, lines, problems };
}
