/**
 * Restoring: an instance's data become those of a backup.
 *
 *   check ─► stop ─► dump.rdb ─► mark ─► start ─► loaded ─┬─────────────────────► mark off
 *                                                         └► AOF written anew ──┘
 *
 * Guarantees: nothing of the instance is touched before a Redis with its image and its memory has loaded
 * the backup; it may break off anywhere and begin again, and ends in the same place. The mark is a file in
 * the volume: while it holds a byte, the container's start script loads dump.rdb and nothing else, so a
 * start in between finds neither the old data nor none.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import type { Redis } from 'ioredis';
import { restoreMark } from '../../../infra/redis-command.ts';
import { requireFits } from '../../instances/restore-source.ts';
import type { Sealer } from '../../lib/crypto.ts';
import { AppError } from '../../lib/errors.ts';
import { SealedFileError } from '../../lib/sealed-file.ts';
import { type Backup, BackupEntity } from '../../store/entities/backup.ts';
import type { Instance } from '../../store/entities/instance.ts';
import { startContainer, stopContainer } from '../docker.ts';
import { awaitReady } from '../instance-power.ts';
import { withInstanceRedis } from '../instance-redis.ts';
import { type CheckServices, checkRdb } from './check-rdb.ts';
import { writeDataFile, writeMark } from './container-files.ts';
import type { BackupServices } from './take-backup.ts';

const rewriteTimeoutMs = 10 * 60_000;
const pollMs = 100;
const aliveMs = 1_000;

export interface RestoreRun {
  readonly docker: Docker;
  readonly signal: AbortSignal;
  /** Told again and again that it goes on. */
  readonly alive: () => void;
  /** Told before connections are cut. */
  readonly onStop: () => void;
}

export type RestoreServices = Pick<BackupServices, 'orm' | 'sealer' | 'vault' | 'installationId'>;

/**
 * Loads the backup that the instance's row names into it.
 * @throws {AppError} `backup_unusable`, `backup_invalid`, `backup_store_unreachable`, all before anything
 * was changed; any other error may come in between.
 */
export async function restoreData(
  services: RestoreServices & Pick<CheckServices, 'holder'>,
  instance: Instance,
  { docker, signal, alive, onStop }: RestoreRun,
): Promise<void> {
  const beat = setInterval(alive, aliveMs);
  try {
    const backup = await findBackup(services, instance);
    await check({ ...services, docker }, backup, instance, signal);
    onStop();
    await stopContainer(docker, instance.id);
    await replaceData({ ...services, docker }, backup, instance, signal);
    await startContainer(docker, instance.id);
    await awaitReady(services.sealer, instance, alive);
    if (instance.persistence) await keepLoaded(services.sealer, instance, signal);
    await writeMark(containerOf(docker, instance), restoreMark, '');
  } finally {
    clearInterval(beat);
  }
}

function containerOf(docker: Docker, { id }: Instance): Docker.Container {
  return docker.getContainer(`swiftcache-${id}`);
}

async function findBackup({ orm }: RestoreServices, instance: Instance): Promise<Backup> {
  const where = { id: instance.restoreBackupId ?? '', status: 'AVAILABLE' as const };
  const backup = await orm.em.fork().findOne(BackupEntity, where);
  if (!backup) throw new AppError('backup_unusable', 'The backup is there no more.');
  return backup;
}

async function check(
  services: CheckServices,
  backup: Backup,
  instance: Instance,
  signal: AbortSignal,
): Promise<void> {
  try {
    const { memoryBytes } = await checkRdb(services, backup, instance, signal);
    requireFits(memoryBytes, instance);
  } catch (error) {
    if (!(error instanceof SealedFileError)) throw error;
    const message = `The stored backup cannot be read: ${error.message}.`;
    throw new AppError('backup_invalid', message, { cause: error });
  }
}

async function replaceData(
  { docker, vault }: Pick<CheckServices, 'docker' | 'vault'>,
  backup: Backup,
  instance: Instance,
  signal: AbortSignal,
): Promise<void> {
  const container = containerOf(docker, instance);
  try {
    const rdb = await vault.open(backup);
    await writeDataFile(
      container,
      { name: 'dump.rdb', sizeBytes: backup.sizeBytes ?? 0 },
      rdb,
      signal,
    );
    await writeMark(container, restoreMark, '1');
  } catch (cause) {
    // From here on the instance is not as it was: no error may look as if it were.
    throw new Error('the restore broke off', { cause });
  }
}

/** Has Redis write what it loaded into an append-only file of its own, which later starts load. */
async function keepLoaded(sealer: Sealer, instance: Instance, signal: AbortSignal): Promise<void> {
  await withInstanceRedis(sealer, instance, async (redis) => {
    await redis.config('SET', 'appendonly', 'yes');
    const deadlineMs = performance.now() + rewriteTimeoutMs;
    while (!(await isRewritten(redis))) {
      if (performance.now() > deadlineMs) throw new Error('Redis did not rewrite its file in time');
      await sleep(pollMs, undefined, { signal });
    }
    await redis.config('REWRITE');
  });
}

async function isRewritten(redis: Redis): Promise<boolean> {
  const info = await redis.info('persistence');
  const has = (line: string): boolean => new RegExp(`^${line}\\r?$`, 'm').test(info);
  const isIdle = has('aof_rewrite_in_progress:0') && has('aof_rewrite_scheduled:0');
  return has('aof_enabled:1') && isIdle && has('aof_last_bgrewrite_status:ok');
}
