import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { makePrivateTls } from '../../src/private-tls.ts';
import { testConfig } from '../support/test-config.ts';

const now = new Date();

function prepare(t: { teardown(action: () => unknown): void }, environment = {}) {
  const dataDir = mkdtempSync(join(tmpdir(), 'swiftcache-ca-'));
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }));
  return testConfig({ SWIFTCACHE_DATA_DIR: dataDir, ...environment });
}

test('the certificate is of the authority, for servers, and for every name in use', async (t) => {
  const config = prepare(t, {
    SWIFTCACHE_DOMAIN: 'example.com',
    SWIFTCACHE_HOST: '0.0.0.0',
    SWIFTCACHE_PUBLIC_HOST: 'cache.example.com',
  });
  const made = await makePrivateTls(config, { more: ['cache.lan', '10.1.2.3'], now });
  const certificate = new X509Certificate(readFileSync(made.certFile));
  const authority = new X509Certificate(readFileSync(made.caFile));
  t.true(authority.ca);
  t.false(certificate.ca);
  t.true(certificate.checkIssued(authority) && certificate.verify(authority.publicKey));
  t.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.1']);
  for (const name of [
    'localhost',
    'inst-abc.redis.example.com',
    'cache.example.com',
    'cache.lan',
  ]) {
    t.truthy(certificate.checkHost(name), name);
  }
  for (const address of ['127.0.0.1', '::1', '10.1.2.3'])
    t.truthy(certificate.checkIP(address), address);
  for (const name of ['example.com', 'a.b.redis.example.com', 'other']) {
    t.is(certificate.checkHost(name), undefined, name);
  }
  t.is(certificate.checkIP('0.0.0.0'), undefined);
  t.deepEqual(made.endsAt, new Date(certificate.validTo));
});

test('files are for their owner alone, and the authority stays at a second run', async (t) => {
  const config = prepare(t);
  const first = await makePrivateTls(config, { more: [], now });
  const [ca, cert] = [readFileSync(first.caFile, 'utf8'), readFileSync(first.certFile, 'utf8')];
  const second = await makePrivateTls(config, { more: [], now });
  t.is(readFileSync(second.caFile, 'utf8'), ca);
  t.not(readFileSync(second.certFile, 'utf8'), cert);
  t.deepEqual([first.isNewAuthority, second.isNewAuthority], [true, false]);
  const folder = join(config.dataDir, 'tls');
  t.is(statSync(folder).mode & 0o777, 0o700);
  const files = readdirSync(folder);
  t.deepEqual(files.sort(), ['ca.crt', 'ca.key', 'redis.crt', 'redis.key']);
  for (const file of files) t.is(statSync(join(folder, file)).mode & 0o777, 0o600, file);
});

test('the command runs where the settings already ask for TLS alone', async (t) => {
  const { dataDir } = prepare(t);
  const environment = {
    ...process.env,
    SWIFTCACHE_DATA_DIR: dataDir,
    SWIFTCACHE_REDIS_TLS_PORT: '7001',
    SWIFTCACHE_REDIS_PLAIN: 'off',
  };
  const { stdout } = await promisify(execFile)(process.execPath, ['scripts/redis-ca.ts'], {
    env: environment,
  });
  t.regex(stdout, new RegExp(`SWIFTCACHE_REDIS_TLS_CERT_FILE=${join(dataDir, 'tls/redis.crt')}`));
  t.regex(stdout, /rediss:\/\/:KEY@[^ ]+:7001/);
});
