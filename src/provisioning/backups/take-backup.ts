/** The two halves of a backup: the RDB goes from the instance into the store, and from there into a check. */

import { resourceName } from '../../../infra/resource-name.ts';
import { locationOf } from '../../backups/import-backup.ts';
import type { BackupVault } from '../../backups/services.ts';
import type { Config } from '../../config.ts';
import { requireRegion } from '../../instances/regions.ts';
import { servesData } from '../../instances/states.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Sealer } from '../../lib/crypto.ts';
import { AppError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Orm } from '../../store/database.ts';
import type { Backup } from '../../store/entities/backup.ts';
import { type Instance, InstanceEntity } from '../../store/entities/instance.ts';
import { connectDocker, requireDocker } from '../docker.ts';
import { withInstanceRedis } from '../instance-redis.ts';
import { checkRdb, type LoadedBackup } from './check-rdb.ts';
import { type BackupClaim, ClaimLost, writeClaimed } from './claims.ts';
import { readDataFile } from './container-files.ts';
import { saveRdb } from './save-rdb.ts';

export interface BackupServices {
  readonly orm: Orm;
  readonly clock: Clock;
  readonly config: Config;
  readonly logger: Logger;
  readonly sealer: Sealer;
  readonly vault: BackupVault;
  readonly installationId: string;
  /** The process's identity, and whether another's is gone. */
  readonly owner: string;
  readonly isGone: (owner: string) => boolean;
}

/**
 * Has the instance save an RDB and puts it into the store; the backup knows what was stored.
 * @throws {AppError} `state_conflict` where the instance does not serve; whatever fails.
 */
export async function takeBackup(
  services: BackupServices,
  claim: BackupClaim,
  backup: Backup,
  signal: AbortSignal,
): Promise<void> {
  const { orm, sealer, vault } = services;
  const instance = await findServing(orm, backup);
  const docker = connectDocker(requireRegion(services.config, instance.region).dockerHost);
  await requireDocker(docker);
  // What a try before this one left.
  if (backup.location) await vault.remove(backup.location);
  const location = locationOf(backup, claim.epoch);
  await writeClaimed(orm, claim, { location });
  await withInstanceRedis(sealer, instance, (redis) => saveRdb(redis, signal));
  const container = docker.getContainer(resourceName(instance.id));
  const rdb = await readDataFile(container, 'dump.rdb', signal);
  const bytesMax = Number.MAX_SAFE_INTEGER;
  try {
    const stored = await vault.put({ id: backup.id, location }, rdb, { bytesMax, signal });
    const { restoreBegunGeneration } = await findServing(orm, backup);
    // What was read may be the file that was put there to be loaded.
    if (restoreBegunGeneration !== instance.restoreBegunGeneration) {
      throw new Error('a restore came between');
    }
    await writeClaimed(orm, claim, { ...stored });
    Object.assign(backup, { location, ...stored });
  } catch (error) {
    // Whoever has the claim now may have looked for this file before it was there.
    if (error instanceof ClaimLost) await vault.remove(location);
    throw error;
  }
}

/** Loads a stored backup in a throw-away Redis like its instance's. @throws {AppError} */
export async function verifyBackup(
  services: BackupServices,
  backup: Backup,
  signal: AbortSignal,
): Promise<LoadedBackup> {
  const { orm, config, vault, installationId, owner: holder } = services;
  const instance = await orm.em.fork().findOneOrFail(InstanceEntity, { id: backup.instanceId });
  const docker = connectDocker(requireRegion(config, instance.region).dockerHost);
  await requireDocker(docker);
  return await checkRdb({ docker, vault, installationId, holder }, backup, instance, signal);
}

async function findServing(orm: Orm, { instanceId }: Backup): Promise<Instance> {
  const instance = await orm.em.fork().findOneOrFail(InstanceEntity, { id: instanceId });
  if (servesData(instance.status)) return instance;
  throw new AppError(
    'state_conflict',
    `The instance is ${instance.status}; nothing can be taken of it.`,
  );
}
