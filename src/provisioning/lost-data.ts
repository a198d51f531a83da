/** The guard of people's data: no run may put an empty volume where a full one was. */
import type Docker from 'dockerode';
import { dataIsLost, mayBeginEmpty } from '../instances/drift.ts';
import { wantsRestore } from '../instances/restore-state.ts';
import { AppError } from '../lib/errors.ts';
import type { Instance } from '../store/entities/instance.ts';
import { checkBackup } from './backups/restore-data.ts';
import { hasVolume, requireDocker } from './docker.ts';
import { beginRestore, type Opening, type OpeningServices } from './opening.ts';
import { recordAsked, withLostData } from './transitions.ts';

/**
 * Lets a run go on where the instance has its volume, promises no data, or may begin empty by its owner's
 * word. What is lost and to be restored goes on, too: once its backup has loaded elsewhere, and its restore
 * counts as begun, so that nothing but its good end makes the instance RUNNING.
 * @returns false where the lease was given back, since something newer is wanted by now.
 * @throws {AppError} `data_volume_missing`, or why the backup was refused.
 */
export async function requireData(
  services: OpeningServices,
  docker: Docker,
  work: Opening,
): Promise<boolean> {
  const { instance, steps, signal, claim } = work;
  if (!instance.appliedPersistence || mayBeginEmpty(instance)) return true;
  const isLost = await steps.run('look', () => isDataLost(docker, instance));
  if (!isLost) return true;
  if (!wantsRestore(instance)) {
    throw new AppError('data_volume_missing', 'The data volume of the instance is gone.');
  }
  const lost = withLostData(instance, services.clock.now());
  if (!(await recordAsked(services, claim, instance, lost))) return false;
  Object.assign(instance, lost);
  await steps.run('restore', (alive) => checkBackup(services, instance, { docker, signal, alive }));
  return await beginRestore(services, work);
}

/** Once its loss is known, a volume that is there since is not it. */
async function isDataLost(docker: Docker, instance: Instance): Promise<boolean> {
  if (dataIsLost(instance)) return true;
  await requireDocker(docker);
  return !(await hasVolume(docker, instance.id));
}
