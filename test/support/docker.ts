/** What tests look at in Docker, past the service. */
import type Docker from 'dockerode';
import { loadConfig } from '../../src/config.ts';
import { connectDocker } from '../../src/provisioning/docker.ts';

export const docker: Docker = connectDocker(loadConfig({}).dockerHost);

const filtersOf = (instanceId: string) => ({ label: [`swiftcache.instance=${instanceId}`] });

/** The containers of an instance, stopped ones too. */
export async function listContainersOf(instanceId: string): Promise<Docker.ContainerInfo[]> {
  return await docker.listContainers({ all: true, filters: filtersOf(instanceId) });
}

/** The names of an instance's volumes. */
export async function listVolumesOf(instanceId: string): Promise<string[]> {
  const { Volumes } = await docker.listVolumes({ filters: filtersOf(instanceId) });
  return (Volumes ?? []).map(({ Name }) => Name);
}

/** The one container of an instance. @throws when there is none or more than one. */
export async function containerOf(instanceId: string): Promise<Docker.Container> {
  const [only, ...others] = await listContainersOf(instanceId);
  if (!only || others.length > 0) throw new Error(`${instanceId} has not exactly one container`);
  return docker.getContainer(only.Id);
}
