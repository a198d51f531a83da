/** What provisioning asks Docker itself, beside Pulumi: only by label, and only of this service's own. */
import Docker from 'dockerode';

export const instanceLabel = 'swiftcache.instance';
/** How long Redis may take to save its data before it is killed; as the program's destroyGraceSeconds. */
const stopGraceSeconds = 30;

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
  const containers = await listContainers(docker, instanceId);
  for (const { Id } of containers.filter((container) => !keep.has(container.Id))) {
    await ignoreMissing(docker.getContainer(Id).remove({ force: true }));
  }
  const { Volumes } = await docker.listVolumes({ filters });
  for (const { Name } of (Volumes ?? []).filter((volume) => !keep.has(volume.Name))) {
    await ignoreMissing(docker.getVolume(Name).remove());
  }
}

/** What is asked of an instance's container. */
export interface ContainerFacts {
  readonly isRunning: boolean;
  readonly startedAt: Date;
  /** Its memory limit in bytes. */
  readonly memoryBytes: number;
  /** The port of the host that it has or, stopped, would have. */
  readonly hostPort: number | null;
}

/** Looks at the instance's container; undefined where there is none. */
export async function inspectInstance(
  docker: Docker,
  instanceId: string,
): Promise<ContainerFacts | undefined> {
  const [found] = await listContainers(docker, instanceId);
  if (!found) return undefined;
  const { State, HostConfig } = await docker.getContainer(found.Id).inspect();
  const bindings = HostConfig.PortBindings as Record<string, { HostPort?: string }[]> | undefined;
  const port = bindings?.['6379/tcp']?.[0]?.HostPort;
  return {
    isRunning: State.Running,
    startedAt: new Date(State.StartedAt),
    memoryBytes: HostConfig.Memory ?? 0,
    hostPort: port ? Number(port) : null,
  };
}

/** Starts the instance's container; one that runs is no problem. */
export async function startContainer(docker: Docker, instanceId: string): Promise<void> {
  for (const { Id } of await listContainers(docker, instanceId)) {
    await ignoreUnchanged(docker.getContainer(Id).start());
  }
}

/** Stops the instance's container, with time to save its data; one that is stopped is no problem. */
export async function stopContainer(docker: Docker, instanceId: string): Promise<void> {
  for (const { Id } of await listContainers(docker, instanceId)) {
    await ignoreUnchanged(docker.getContainer(Id).stop({ t: stopGraceSeconds }));
  }
}

/** Stops and starts the instance's container. */
export async function restartContainer(docker: Docker, instanceId: string): Promise<void> {
  for (const { Id } of await listContainers(docker, instanceId)) {
    await docker.getContainer(Id).restart({ t: stopGraceSeconds });
  }
}

async function listContainers(docker: Docker, instanceId: string): Promise<Docker.ContainerInfo[]> {
  const filters = { label: [`${instanceLabel}=${instanceId}`] };
  return await docker.listContainers({ all: true, filters });
}

/** Docker answers 304 where a container is already as asked for. */
async function ignoreUnchanged(change: Promise<unknown>): Promise<void> {
  await ignoreStatus(304, change);
}

async function ignoreMissing(removal: Promise<unknown>): Promise<void> {
  await ignoreStatus(404, removal);
}

async function ignoreStatus(status: number, change: Promise<unknown>): Promise<void> {
  try {
    await change;
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode !== status) throw error;
  }
}
