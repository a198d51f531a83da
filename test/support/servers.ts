/** Several servers of one installation, as docs/operators.md says: one database, one state, the same secrets. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { removeInstallationObjects } from '../../scripts/installation-objects.ts';
import { loadConfig } from '../../src/config.ts';
import { accountKey, ServiceProcess, type TestService } from './service.ts';

/**
 * Starts one server for each of `settings`, all at once. Each has a data directory of its own. They are
 * ended, and what they made in Docker removed, when the test is over.
 */
export async function startServers(
  t: ExecutionContext,
  databaseUrl: string | undefined,
  settings: readonly Record<string, string>[],
): Promise<TestService[]> {
  const folder = mkdtempSync(join(tmpdir(), 'swiftcache-servers-'));
  const passphraseFile = join(folder, 'passphrase');
  writeFileSync(passphraseFile, 'the passphrase of all servers', { mode: 0o600 });
  const firstPort = 10_000 + Math.floor(Math.random() * 200) * 100;
  const shared = {
    SWIFTCACHE_DATABASE_URL: databaseUrl ?? '',
    SWIFTCACHE_STATE_BACKEND_URL: `file://${join(folder, 'state')}`,
    SWIFTCACHE_BACKUP_URL: `file://${join(folder, 'backups')}`,
    SWIFTCACHE_MASTER_KEY: '5e'.repeat(32),
    SWIFTCACHE_PASSPHRASE_FILE: passphraseFile,
    SWIFTCACHE_BOOTSTRAP_ACCOUNT_KEY: accountKey,
    SWIFTCACHE_INSTANCE_PORTS: `${firstPort}-${firstPort + 99}`,
    SWIFTCACHE_PORT: '0',
    SWIFTCACHE_REDIS_PORT: '0',
    SWIFTCACHE_LOG_LEVEL: 'debug',
  };
  const servers = settings.map((own, index) => {
    const dataDir = join(folder, `server-${index}`);
    mkdirSync(dataDir);
    const environment = { ...shared, SWIFTCACHE_DATA_DIR: dataDir, ...own };
    return new ServiceProcess(dataDir, environment);
  });
  t.teardown(async () => {
    for (const server of servers) if (!t.passed) t.log(server.output().slice(-6_000));
    await Promise.all(servers.map((server) => server.end('SIGTERM')));
    const { dockerHost } = loadConfig({});
    await removeInstallationObjects({ dockerHost, databaseUrl, databaseFile: '' });
    rmSync(folder, { recursive: true, force: true });
  });
  await Promise.all(servers.map((server) => server.start()));
  return servers;
}
