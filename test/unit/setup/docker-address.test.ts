import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { findDockerAddress } from '../../../setup/lib/docker-address.js';

const host = 'unix:///home/somebody/.colima/docker.sock';

function arrangeConfig(t: ExecutionContext, currentContext: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'swiftcache-docker-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const id = createHash('sha256').update('colima').digest('hex');
  mkdirSync(join(folder, 'contexts', 'meta', id), { recursive: true });
  const meta = { Name: 'colima', Endpoints: { docker: { Host: host } } };
  writeFileSync(join(folder, 'contexts', 'meta', id, 'meta.json'), JSON.stringify(meta));
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ currentContext }));
  return folder;
}

test('DOCKER_HOST goes before the context, and the context before the usual socket', (t) => {
  const config = arrangeConfig(t, 'colima');
  const tcp = 'tcp://10.0.0.1:2376';
  t.is(findDockerAddress({ DOCKER_HOST: tcp, DOCKER_CONFIG: config }).host, tcp);
  t.is(findDockerAddress({ DOCKER_CONFIG: config }).host, host);
  const usual = { host: 'unix:///var/run/docker.sock', from: 'default' };
  t.deepEqual(findDockerAddress({ DOCKER_CONFIG: join(config, 'nowhere') }), usual);
  t.deepEqual(findDockerAddress({ DOCKER_CONFIG: config, DOCKER_CONTEXT: 'default' }), usual);
});

test('TLS is used where the client would use it', (t) => {
  const env = { DOCKER_HOST: 'tcp://h:2376', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/certs' };
  t.is(findDockerAddress(env).certPath, '/certs');
  t.is(findDockerAddress({ ...env, DOCKER_TLS_VERIFY: '' }).certPath, undefined);
});

test('a chosen context that does not exist is an error with a remedy', (t) => {
  const config = arrangeConfig(t, 'gone');
  const error = t.throws(() => findDockerAddress({ DOCKER_CONFIG: config }), {
    message: /"gone".*does not exist/,
  });
  t.regex((error as Error & { remedy: string }).remedy, /docker context use/);
});
