/**
 * `npm run -s service:restore -- --from FILE [--passphrase-file FILE] [--replace]`: makes this machine's
 * service the one of an archive. It writes into an empty data directory and an empty database only;
 * `--replace` puts aside what a service, which must have ended, has left in the data directory.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { loadPolicyContext } from '../policies/context.ts';
import { pinnedImage } from '../policies/pinned-image.ts';
import { containerType } from '../policies/rule.ts';
import { loadConfig, rootDir } from '../src/config.ts';
import { readPassphrase } from '../src/service-backup/passphrase.ts';
import { type RestoreReport, restoreService } from '../src/service-backup/restore.ts';

process.umask(0o077);
const say = (text: string): boolean => process.stdout.write(`${text}\n`);

try {
  const { values } = parseArgs({
    options: {
      from: { type: 'string' },
      'passphrase-file': { type: 'string' },
      replace: { type: 'boolean', default: false },
    },
  });
  if (values.from === undefined) {
    throw new Error(
      'Usage: npm run -s service:restore -- --from FILE [--passphrase-file FILE] [--replace]',
    );
  }
  const passphrase = await readPassphrase(values['passphrase-file'], false);
  const { replace } = values;
  const options = { file: resolve(values.from), passphrase, replace, say };
  report(await restoreService(loadConfig(), options));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

function report({ manifest, putAside, files }: RestoreReport): void {
  for (const warning of manifest.warnings) say(`Note: ${warning}`);
  if (putAside) say(`Note: what was here is in ${putAside} now.`);
  if (manifest.masterKeyFrom === 'environment') {
    say(
      'Note: the master key was in SWIFTCACHE_MASTER_KEY; unless that is set, it is in a file now.',
    );
  }
  for (const [file, text] of files) {
    if (readFileSync(join(rootDir, file), 'utf8') !== text) {
      say(`Note: ${file} is another one than in the archive (age -d … | tar -xz files/${file}).`);
    }
  }
  const context = loadPolicyContext();
  for (const image of manifest.images) {
    if (pinnedImage.check(containerType, { image }, context).length > 0) {
      say(`Note: instances run ${image}, which policies/allowed-images.json does not allow here.`);
    }
  }
  say(`
Restored: installation ${manifest.installationId}, as it was at ${manifest.createdAt}.
See that the old service does not run any more, then: npm start
Containers that run are found again, with their keys. Instances made after the backup are unknown to this
service: it ends their containers in order and leaves their volumes, which its log names.`);
}
