/** What provisioning asks Docker itself, beside Pulumi: only by label, and only of this service's own. */
import Docker from 'dockerode';

export const instanceLabel = 'swiftcache.instance';

/** A client for a DOCKER_HOST address (unix://, tcp://, ssh://). */
export function connectDocker(dockerHost: string): Docker {
  if (dockerHost.startsWith('unix://')) {
    return new Docker({ socketPath: dockerHost.slice('unix://'.length) });
  }
  const { protocol, hostname, port, username } = new URL(dockerHost);
  if (protocol === 'ssh:') {
    return new Docker({ protocol: 'ssh', host: hostname, port: port || 22, username });
  }
  return new Docker({ protocol: 'http', host: hostname, port: port || 2375 });
}

/** @throws an Error with Docker's own words for an unreachable daemon (failures.ts knows them). */
export async function requireDocker(docker: Docker): Promise<void> {
  try {
    await docker.ping();
  } catch (error) {
    throw new Error('Cannot connect to the Docker daemon', { cause: error });
  }
}

/**
 * Removes the containers and volumes labelled with an instance, but for those whose id or name is in
 * `keep`. Things that are already gone are no problem.
 */
export async function removeInstanceObjects(
  docker: Docker,
  instanceId: string,
  keep: ReadonlySet<string>,
): Promise<void> {
  const filters = { label: [`${instanceLabel}=${instanceId}`] };
  const containers = await docker.listContainers({ all: true, filters });
  for (const { Id } of containers.filter((container) => !keep.has(container.Id))) {
    await ignoreMissing(docker.getContainer(Id).remove({ force: true }));
  }
  const { Volumes } = await docker.listVolumes({ filters });
  for (const { Name } of (Volumes ?? []).filter((volume) => !keep.has(volume.Name))) {
    await ignoreMissing(docker.getVolume(Name).remove());
  }
}

async function ignoreMissing(removal: Promise<unknown>): Promise<void> {
  try {
    await removal;
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode !== 404) throw error;
  }
}
