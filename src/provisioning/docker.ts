/** What provisioning asks Docker itself, beside Pulumi: only by label, and only of this service's own. */
import Docker from 'dockerode';
import { deadlines, stopGraceSeconds } from './deadlines.ts';

export const instanceLabel = 'swiftcache.instance';
export const installationLabel = 'swiftcache.installation';

/**
 * A client for a DOCKER_HOST address (unix://, tcp://, ssh://). What Docker leaves without a byte for
 * `dockerSilenceMs` fails, an idle stream of events too: who follows one opens it again.
 */
export function connectDocker(dockerHost: string): Docker {
  const timeout = deadlines.dockerSilenceMs;
  if (dockerHost.startsWith('unix://')) {
    return new Docker({ socketPath: dockerHost.slice('unix://'.length), timeout });
  }
  const { protocol, hostname, port, username } = new URL(dockerHost);
  if (protocol === 'ssh:') {
    return new Docker({ protocol: 'ssh', host: hostname, port: port || 22, username, timeout });
  }
  return new Docker({ protocol: 'http', host: hostname, port: port || 2375, timeout });
}

/**
 * Asks whether Docker answers, within seconds: one that stands still is as good as none.
 * @throws an Error with Docker's own words for an unreachable daemon (failures.ts knows them).
 */
export async function requireDocker(docker: Docker): Promise<void> {
  try {
    const options = { abortSignal: AbortSignal.timeout(deadlines.dockerPingMs) };
    // The types do not know of the options that every call has.
    await (docker.ping as (options: object) => Promise<unknown>).call(docker, options);
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
  await removeContainers(docker, instanceId, keep, { graceful: false });
  await removeVolumes(docker, instanceId, keep);
}

/** Of these the containers; `graceful` gives each Redis the time to save its data first. */
export async function removeContainers(
  docker: Docker,
  instanceId: string,
  keep: ReadonlySet<string>,
  { graceful }: { graceful: boolean },
): Promise<void> {
  const containers = await listContainers(docker, instanceId);
  for (const { Id } of containers.filter((container) => !keep.has(container.Id))) {
    const container = docker.getContainer(Id);
    if (graceful) await ignoreMissing(ignoreUnchanged(container.stop({ t: stopGraceSeconds })));
    await ignoreMissing(container.remove({ force: true }));
  }
}

/** Of these the volumes, with all that is in them. */
export async function removeVolumes(
  docker: Docker,
  instanceId: string,
  keep: ReadonlySet<string>,
): Promise<void> {
  const names = await listVolumesOf(docker, instanceId);
  for (const name of names.filter((volume) => !keep.has(volume))) {
    await ignoreMissing(docker.getVolume(name).remove());
  }
}

/** The names of the volumes labelled with an instance. */
export async function listVolumesOf(docker: Docker, instanceId: string): Promise<string[]> {
  const filters = { label: [`${instanceLabel}=${instanceId}`] };
  const { Volumes } = await docker.listVolumes({ filters });
  return (Volumes ?? []).map(({ Name }) => Name);
}

/** The id of the network with this name; undefined where there is none. */
export async function findNetwork(
  docker: Docker,
  name: string | undefined,
): Promise<string | undefined> {
  if (name === undefined) return undefined;
  // Docker's filter also finds names that only contain it.
  const found = await docker.listNetworks({ filters: { name: [name] } });
  return found.find(({ Name }) => Name === name)?.Id;
}

/** Whether a container or a volume of the instance is there. */
export async function hasInstanceObjects(docker: Docker, instanceId: string): Promise<boolean> {
  const filters = { label: [`${instanceLabel}=${instanceId}`] };
  const { Volumes } = await docker.listVolumes({ filters });
  return (Volumes ?? []).length > 0 || (await listContainers(docker, instanceId)).length > 0;
}

/** What is asked of an instance's container. */
export interface ContainerFacts {
  /** Also true of a paused one. */
  readonly isRunning: boolean;
  readonly isPaused: boolean;
  readonly startedAt: Date;
  /** Its memory limit in bytes. */
  readonly memoryBytes: number;
  /** The port of the host that it has or, stopped, would have. */
  readonly hostPort: number | null;
  /** The image as its stack named it. */
  readonly image: string;
}

/** Looks at the instance's container; undefined where there is none. */
export async function inspectInstance(
  docker: Docker,
  instanceId: string,
): Promise<ContainerFacts | undefined> {
  const [found] = await listContainers(docker, instanceId);
  if (!found) return undefined;
  const { State, HostConfig, Config } = await docker.getContainer(found.Id).inspect();
  const bindings = HostConfig.PortBindings as Record<string, { HostPort?: string }[]> | undefined;
  const port = bindings?.['6379/tcp']?.[0]?.HostPort;
  return {
    isRunning: State.Running,
    isPaused: State.Paused,
    startedAt: new Date(State.StartedAt),
    memoryBytes: HostConfig.Memory ?? 0,
    hostPort: port ? Number(port) : null,
    image: Config.Image,
  };
}

/** Whether the instance has a volume, labelled as its own. */
export async function hasVolume(docker: Docker, instanceId: string): Promise<boolean> {
  const filters = { label: [`${instanceLabel}=${instanceId}`] };
  const { Volumes } = await docker.listVolumes({ filters });
  return (Volumes ?? []).length > 0;
}

/** Lets a paused container go on. */
export async function unpauseContainer(docker: Docker, instanceId: string): Promise<void> {
  for (const { Id, State } of await listContainers(docker, instanceId)) {
    if (State === 'paused') await docker.getContainer(Id).unpause();
  }
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
