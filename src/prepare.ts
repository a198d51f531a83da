/** Set-up's last step: makes the data directory and brings the database up to date. Prints problems only. */
import { loadConfig } from './config.ts';
import { prepareDataDirectory } from './data-directory.ts';
import { prepareProject } from './provisioning/project.ts';
import { openDatabase } from './store/database.ts';

process.umask(0o077);

try {
  const config = loadConfig();
  // Other parts of a service that is split hold no secrets and run no stacks.
  if (config.roles.has('api') || config.roles.has('reconciler')) {
    prepareDataDirectory(config);
    prepareProject(config);
  }
  const orm = await openDatabase(config);
  await orm.close();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
