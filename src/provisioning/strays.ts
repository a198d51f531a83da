/**
 * The sweep of what belongs to nobody: at the start of its duty and then every minute.
 *
 *   found, labelled as this installation's    row is DELETED   there is no row
 *   container                                 removed          stopped in order, removed
 *   volume                                    removed          kept, told in the log
 *   files of the stack, minutes old           removed          removed, unless its volume is there
 *
 * Checks of backups go when their holders are gone (backups/check-rdb.ts).
 *
 * A volume that the database does not know may be somebody's data, and the database an old backup: it is
 * never removed, nor the state that holds its password. Guarantees: nothing of an instance that a lease is
 * held on is touched, and nothing that is newer than the look at the rows, since things are listed first. What
 * cannot be removed, and a host that does not answer, are in the way of nothing else; files of an instance that
 * the database does not know are removed only where every host has been looked at.
 */
import type Docker from 'dockerode';
import type { Config } from '../config.ts';
import { listRegions } from '../instances/regions.ts';
import type { Clock } from '../lib/clock.ts';
import { idPattern } from '../lib/ids.ts';
import type { Logger } from '../lib/logger.ts';
import { startRepeating } from '../lib/repeat.ts';
import type { Orm } from '../store/database.ts';
import { InstanceEntity } from '../store/entities/instance.ts';
import { sweepChecks } from './backups/check-rdb.ts';
import {
  connectDocker,
  installationLabel,
  instanceLabel,
  removeContainers,
  removeVolumes,
} from './docker.ts';
import type { WorkerSettings } from './messages.ts';
import { listStackFiles, purgeStackFiles } from './state-files.ts';

const intervalMs = 60_000;
/** Younger files may be a run's that is about to begin or to end. */
const fileAgeMinMs = 5 * 60_000;

export interface StrayServices {
  readonly orm: Orm;
  readonly clock: Clock;
  readonly config: Config;
  readonly logger: Logger;
  readonly installationId: string;
  readonly settings: WorkerSettings;
  /** Whether the named process is gone. */
  readonly isGone: (identity: string) => boolean;
}

export interface StraySweep {
  /** Ends the sweeping and waits for a round under way. */
  stop(): Promise<void>;
}

/** What an instance's row says about things that are labelled with it. */
type Standing = 'alive' | 'deleted' | 'unknown';

/** Sweeps at once, and again and again. */
export function startStraySweep(services: StrayServices): StraySweep {
  const told = new Set<string>();
  const round = () => sweepStrays(services, told);
  const onError = (error: unknown): void => {
    services.logger.warn({ err: error }, 'strays were not looked for');
  };
  const first = round().catch(onError);
  const repeating = startRepeating(round, { intervalMs, onError });
  return {
    async stop() {
      await first;
      await repeating.stop();
    },
  };
}

/** One round. @param told names the volumes that the log has been told of. */
export async function sweepStrays(services: StrayServices, told: Set<string>): Promise<void> {
  const hosts = new Set(listRegions(services.config).map(({ dockerHost }) => dockerHost));
  const withVolume = new Set<string>();
  let isComplete = true;
  for (const host of hosts) {
    const docker = connectDocker(host);
    try {
      for (const id of await sweepHost(services, docker, told)) withVolume.add(id);
      await sweepChecks(docker, services);
    } catch (error) {
      isComplete = false;
      services.logger.warn({ err: error }, 'strays of a Docker host were not all looked for');
    }
  }
  const mayHaveVolume = (id: string): boolean => !isComplete || withVolume.has(id);
  await sweepFiles(services, mayHaveVolume);
}

/** Gives the instances that have a volume on the host. */
async function sweepHost(
  services: StrayServices,
  docker: Docker,
  told: Set<string>,
): Promise<string[]> {
  const { installationId, logger } = services;
  const filters = { label: [`${installationLabel}=${installationId}`, instanceLabel] };
  const containers = await docker.listContainers({ all: true, filters });
  const { Volumes } = await docker.listVolumes({ filters });
  const volumes = (Volumes ?? []).map(({ Name, Labels }) => ({
    name: Name,
    id: Labels[instanceLabel] ?? '',
  }));
  const ofContainers = containers.map(({ Labels }) => Labels[instanceLabel] ?? '');
  const ids = [...new Set([...ofContainers, ...volumes.map(({ id }) => id)])];
  const standings = await readStandings(services, ids);
  for (const id of ids.filter((each) => standings.get(each) !== 'alive')) {
    const isDeleted = standings.get(id) === 'deleted';
    if (ofContainers.includes(id)) {
      logger.warn({ instanceId: id, isDeleted }, 'a container that belongs to nobody is removed');
    }
    try {
      await removeContainers(docker, id, new Set(), { graceful: !isDeleted });
      if (isDeleted) await removeVolumes(docker, id, new Set());
    } catch (error) {
      logger.warn({ err: error, instanceId: id }, 'what belongs to nobody could not be removed');
    }
  }
  for (const { name, id } of volumes) {
    if (standings.get(id) !== 'unknown' || told.has(name)) continue;
    told.add(name);
    logger.warn({ volume: name }, 'a volume belongs to no instance of the database; it is kept');
  }
  return volumes.map(({ id }) => id);
}

async function sweepFiles(
  services: StrayServices,
  mayHaveVolume: (instanceId: string) => boolean,
): Promise<void> {
  const { clock, logger, settings } = services;
  const isInstance = idPattern('inst');
  const nowMs = clock.now().getTime();
  const stacks = listStackFiles(settings).filter(
    ({ stack, writtenMs }) => isInstance.test(stack) && nowMs - writtenMs > fileAgeMinMs,
  );
  const standings = await readStandings(
    services,
    stacks.map(({ stack }) => stack),
  );
  for (const { stack } of stacks) {
    const standing = standings.get(stack);
    if (standing === 'alive' || (standing === 'unknown' && mayHaveVolume(stack))) continue;
    logger.warn({ instanceId: stack }, 'files of a stack that belongs to nobody are removed');
    purgeStackFiles(settings, stack);
  }
}

async function readStandings(
  { orm, clock }: StrayServices,
  ids: readonly string[],
): Promise<Map<string, Standing>> {
  const rows = await orm.em
    .fork()
    .find(
      InstanceEntity,
      { id: { $in: [...ids] } },
      { fields: ['id', 'status', 'leaseExpiresAtMs'] },
    );
  const nowMs = clock.now().getTime();
  const found = new Map<string, Standing>(
    rows.map(({ id, status, leaseExpiresAtMs }) => {
      return [id, status === 'DELETED' && leaseExpiresAtMs <= nowMs ? 'deleted' : 'alive'];
    }),
  );
  return new Map(ids.map((id) => [id, found.get(id) ?? 'unknown']));
}
