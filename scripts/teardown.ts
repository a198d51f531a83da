/**
 * `npm run teardown -- --yes`: removes this service for good: its containers with all their data, its
 * networks, its stacks and its data directory. End the service first.
 */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../src/config.ts';
import { locateProject } from '../src/provisioning/project.ts';
import { removeInstallationObjects } from './installation-objects.ts';

const config = loadConfig();
const { stacksDir } = locateProject(config);

if (!process.argv.includes('--yes')) {
  process.stderr.write(
    `This removes every instance with its data, and ${config.dataDir}.\nTo do it: npm run teardown -- --yes\n`,
  );
  process.exit(2);
}
const removed = await removeInstallationObjects(config);
for (const file of readdirSync(stacksDir).filter((name) => /^Pulumi\..+\.yaml$/.test(name))) {
  rmSync(join(stacksDir, file));
}
rmSync(config.dataDir, { recursive: true, force: true });
process.stdout.write(
  `Removed from Docker: ${removed} containers, volumes and networks. Removed: ${config.dataDir}.\n`,
);
