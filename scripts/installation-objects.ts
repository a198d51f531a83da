/** What one installation has in Docker, found by its label and by nothing else. */
import type { Config } from '../src/config.ts';
import { connectDocker } from '../src/provisioning/docker.ts';
import { openDatabase } from '../src/store/database.ts';
import { SettingEntity } from '../src/store/entities/setting.ts';

type Location = Pick<Config, 'dockerHost' | 'databaseUrl' | 'databaseFile'>;

/**
 * Removes every container, volume and network of the installation that a database belongs to, running
 * ones too. Gives how many things that were.
 */
export async function removeInstallationObjects(config: Location): Promise<number> {
  const installation = await readInstallationId(config);
  if (!installation) return 0;
  const docker = connectDocker(config.dockerHost);
  const filters = { label: [`swiftcache.installation=${installation}`] };
  const containers = await docker.listContainers({ all: true, filters });
  for (const { Id } of containers) await docker.getContainer(Id).remove({ force: true });
  const { Volumes } = await docker.listVolumes({ filters });
  for (const { Name } of Volumes ?? []) await docker.getVolume(Name).remove();
  const networks = await docker.listNetworks({ filters });
  for (const { Id } of networks) await docker.getNetwork(Id).remove();
  return containers.length + (Volumes ?? []).length + networks.length;
}

async function readInstallationId(location: Location): Promise<string | undefined> {
  const orm = await openDatabase(location);
  try {
    const setting = await orm.em.fork().findOne(SettingEntity, { name: 'installation' });
    return setting?.value;
  } finally {
    await orm.close();
  }
}
