/** One look at a Docker host: two label queries, whatever the number of instances. */
import type Docker from 'dockerode';
import { resourceName } from '../../../infra/resource-name.ts';
import { installationLabel, instanceLabel } from '../docker.ts';

/** A daemon that hangs must not hold the watch for ever. */
const lookTimeoutMs = 5_000;

/** A container as a list of containers tells it. */
export interface ListedContainer {
  readonly id: string;
  readonly name: string;
  /** As Docker says it: running, paused, exited, created, dead, restarting, removing. */
  readonly state: string;
}

/** Docker tells when, which the types leave out. */
type DatedVolume = Docker.VolumeInspectInfo & { readonly CreatedAt: string };

/** What is on the host of one installation, by instance. */
export interface DockerSight {
  readonly containers: ReadonlyMap<string, ListedContainer>;
  /** When the volume of an instance was made. */
  readonly volumes: ReadonlyMap<string, Date>;
}

/** The limits of a container, which lists do not tell. */
export interface ContainerLimits {
  readonly memoryBytes: number;
  readonly memorySwapBytes: number;
  readonly restartPolicy: string;
}

/** @throws what Docker says, or after 5 s of silence. */
export async function lookAtDocker(docker: Docker, installationId: string): Promise<DockerSight> {
  const filters = { label: [`${installationLabel}=${installationId}`] };
  const listed = await docker.listContainers({ all: true, filters, ...withinTime() });
  // After the containers: a volume outlives its container, so none is taken for lost in between.
  const { Volumes } = await docker.listVolumes({ filters, ...withinTime() });
  const containers = new Map<string, ListedContainer>();
  for (const { Id, Names, State, Labels } of listed) {
    const instanceId = Labels[instanceLabel];
    const name = (Names[0] ?? '').replace(/^\//, '');
    if (instanceId === undefined || containers.get(instanceId)?.name === resourceName(instanceId))
      continue;
    containers.set(instanceId, { id: Id, name, state: State });
  }
  const volumes = new Map<string, Date>();
  for (const { Labels, CreatedAt } of (Volumes ?? []) as DatedVolume[]) {
    const instanceId = Labels?.[instanceLabel];
    if (instanceId !== undefined) volumes.set(instanceId, new Date(CreatedAt));
  }
  return { containers, volumes };
}

/** Asks for a container's limits; undefined where it is gone. @throws as lookAtDocker. */
export async function readLimits(
  docker: Docker,
  containerId: string,
): Promise<ContainerLimits | undefined> {
  try {
    const { HostConfig } = await docker.getContainer(containerId).inspect(withinTime());
    return {
      memoryBytes: HostConfig.Memory ?? 0,
      memorySwapBytes: HostConfig.MemorySwap ?? 0,
      restartPolicy: HostConfig.RestartPolicy?.Name || 'no',
    };
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return undefined;
    throw error;
  }
}

function withinTime(): { abortSignal: AbortSignal } {
  return { abortSignal: AbortSignal.timeout(lookTimeoutMs) };
}
