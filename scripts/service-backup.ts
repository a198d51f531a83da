/**
 * `npm run -s service:backup -- --to FILE [--passphrase-file FILE]`: writes what the service is (database,
 * keys, the stacks' configuration and state) into one encrypted archive, while the service runs.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { loadConfig } from '../src/config.ts';
import { backUpService } from '../src/service-backup/backup.ts';
import { readPassphrase } from '../src/service-backup/passphrase.ts';

process.umask(0o077);
const say = (text: string): boolean => process.stdout.write(`${text}\n`);

try {
  const { values } = parseArgs({
    options: { to: { type: 'string' }, 'passphrase-file': { type: 'string' } },
  });
  if (values.to === undefined) {
    throw new Error('Usage: npm run -s service:backup -- --to FILE [--passphrase-file FILE]');
  }
  const file = resolve(values.to);
  const passphrase = await readPassphrase(values['passphrase-file'], true);
  const { bytes, manifest } = await backUpService(loadConfig(), { file, passphrase, say });
  const { installationId, tables, stacks, masterKeyFrom, warnings } = manifest;
  for (const warning of warnings) say(`Note: ${warning}`);
  say(`
Archive        ${file}, ${(bytes / 1024).toFixed(1)} KiB, encrypted (age, passphrase)
Installation   ${installationId}
In it          ${Object.values(tables).reduce((sum, rows) => sum + rows, 0)} rows, ${stacks.length} stacks, \
master key${masterKeyFrom === 'environment' ? ' (of SWIFTCACHE_MASTER_KEY)' : ''} and passphrase
Not in it      the instances' data: that is in their volumes and in their own backups
To restore     npm run -s service:restore -- --from ${file}
Without the passphrase it opens to nobody: keep that apart from it.`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
