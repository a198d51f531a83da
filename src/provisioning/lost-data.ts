/** The guard of people's data: no run may put an empty volume where a full one was. */
import type Docker from 'dockerode';
import { dataIsLost, mayBeginEmpty } from '../instances/drift.ts';
import { AppError } from '../lib/errors.ts';
import type { Instance } from '../store/entities/instance.ts';
import { hasVolume } from './docker.ts';

/**
 * Lets a run go on where the instance has its volume, promises no data, or may begin empty by its owner's
 * word. Once its loss is known, a volume that is there since is not it.
 * @throws {AppError} `data_volume_missing`.
 */
export async function requireData(docker: Docker, instance: Instance): Promise<void> {
  if (!instance.appliedPersistence || mayBeginEmpty(instance)) return;
  if (!dataIsLost(instance) && (await hasVolume(docker, instance.id))) return;
  throw new AppError('data_volume_missing', 'The data volume of the instance is gone.');
}
