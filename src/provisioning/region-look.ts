/** Whether what a region's stack makes is there: asked before the stack is run once more. */
import type { Region } from '../instances/regions.ts';
import { hasCheckpoint, isTorn } from './checkpoints.ts';
import { connectDocker, findNetwork } from './docker.ts';
import { stateFolder } from './file-backend.ts';
import type { WorkerSettings } from './messages.ts';

export type RegionLook = (region: Region, network: string) => Promise<boolean>;

/** Of a backend that is no folder nothing is known cheaply: its regions' stacks are run. */
export function createRegionLook({ backendUrl }: Pick<WorkerSettings, 'backendUrl'>): RegionLook {
  const folder = stateFolder(backendUrl);
  return async ({ region, dockerHost }, network) => {
    if (!folder || !hasCheckpoint(folder, region) || isTorn(folder, region)) return false;
    const found = await findNetwork(connectDocker(dockerHost), network).catch(() => undefined);
    return found !== undefined;
  };
}
