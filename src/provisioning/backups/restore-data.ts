/**
 * Restoring: an instance's data become those of a backup.
 *
 *   check ─► begun ─► stop ─► dump.rdb ─► mark ─► start ─► loaded ─┬─────────────────────► mark off
 *                                                                  └► AOF written anew ──┘
 *
 * Guarantees: nothing of the instance is touched before a Redis with its image and its memory has loaded
 * the backup; before the first change its row says that the restore has begun, and from then on no failure
 * looks as if the instance were as it was. It may break off anywhere and begin again, and ends in the same
 * place; a try that lost the lease changes nothing more. The mark is a file in the volume: while it holds
 * the number of a try, dump.rdb is whole, and the container's start script loads it and nothing else.
 */
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import type { Redis } from 'ioredis';
import { resourceName } from '../../../infra/resource-name.ts';
import { restoreMark } from '../../../infra/restore-mark.ts';
import { requireFits } from '../../instances/restore-source.ts';
import { hasBegunRestore } from '../../instances/restore-state.ts';
import type { Sealer } from '../../lib/crypto.ts';
import { AppError } from '../../lib/errors.ts';
import { SealedFileError } from '../../lib/sealed-file.ts';
import { type Backup, BackupEntity } from '../../store/entities/backup.ts';
import type { Instance } from '../../store/entities/instance.ts';
import { startContainer, stopContainer } from '../docker.ts';
import { LeaseLost } from '../fenced-writes.ts';
import { awaitReady } from '../instance-power.ts';
import { withInstanceRedis } from '../instance-redis.ts';
import { type CheckServices, checkRdb } from './check-rdb.ts';
import { readDataFile, writeDataFile, writeMark } from './container-files.ts';
import type { BackupServices } from './take-backup.ts';

const rewriteTimeoutMs = 10 * 60_000;
const pollMs = 100;
const aliveMs = 1_000;
/** Longer than the check and each other part may take. */
const partMaxMs = 70 * 60_000;

/** What a try at a restore is bound to. */
export interface CheckRun {
  readonly docker: Docker;
  readonly signal: AbortSignal;
  /** Told again and again that it goes on. */
  readonly alive: () => void;
}

export interface RestoreRun extends CheckRun {
  /** Writes down that the restore begins, and cuts connections. False where it is not wanted any more. */
  readonly onBegin: () => Promise<boolean>;
  /** Whether the try may still change anything, asked before each change. */
  readonly holdsLease: () => Promise<boolean>;
}

export type RestoreServices = Pick<BackupServices, 'orm' | 'sealer' | 'vault' | 'installationId'>;

/**
 * Loads the backup that the instance's row names into it.
 * @returns false where it was no longer wanted when it was about to begin; then nothing was changed.
 * @throws {AppError} `backup_unusable`, `backup_invalid`, `backup_store_unreachable`, all before anything
 * was changed, by this try or one before it; LeaseLost; any other error may come in between.
 */
export async function restoreData(
  services: RestoreServices & Pick<CheckServices, 'holder'>,
  instance: Instance,
  run: RestoreRun,
): Promise<boolean> {
  const backup = await checkBackup(services, instance, run);
  if (!(await run.onBegin())) return false;
  const beat = startBeat(run.alive);
  try {
    await replaceData(services, backup, instance, run);
    return true;
  } catch (error) {
    throw brokenOff(error);
  } finally {
    clearInterval(beat);
  }
}

/**
 * Has a throw-away Redis load the backup that the instance's row names.
 * @throws {AppError} as restoreData, but once a restore has begun only errors that say nothing of the kind.
 */
export async function checkBackup(
  services: RestoreServices & Pick<CheckServices, 'holder'>,
  instance: Instance,
  { docker, signal, alive }: CheckRun,
): Promise<Backup> {
  const beat = startBeat(alive);
  try {
    const backup = await findBackup(services, instance);
    await check({ ...services, docker }, backup, instance, signal);
    return backup;
  } catch (error) {
    throw hasBegunRestore(instance) ? brokenOff(error) : error;
  } finally {
    clearInterval(beat);
  }
}

/** Says that it goes on, but not for ever: each part ends by itself unless something hangs. */
function startBeat(alive: () => void): NodeJS.Timeout {
  const lastMs = performance.now() + partMaxMs;
  return setInterval(() => {
    if (performance.now() < lastMs) alive();
  }, aliveMs);
}

/** The instance is not as it was: no error may look as if it were, and each is worth another try. */
function brokenOff(cause: unknown): unknown {
  if (cause instanceof LeaseLost) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new Error(`the restore broke off: ${reason}`, { cause });
}

function containerOf(docker: Docker, { id }: Instance): Docker.Container {
  return docker.getContainer(resourceName(id));
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
  { sealer, vault }: Pick<RestoreServices, 'sealer' | 'vault'>,
  backup: Backup,
  instance: Instance,
  { docker, signal, alive, holdsLease }: RestoreRun,
): Promise<void> {
  const container = containerOf(docker, instance);
  const mark = String(instance.leaseEpoch);
  const change = async (step: () => Promise<void>): Promise<void> => {
    signal.throwIfAborted();
    if (!(await holdsLease())) throw new LeaseLost('the lease was lost during the restore');
    await step();
  };
  await change(() => stopContainer(docker, instance.id));
  // What a try before this one left holds no longer, once dump.rdb is written over.
  await change(() => writeMark(container, restoreMark, ''));
  await change(() => writeBackup(vault, container, backup, signal));
  await change(() => writeMark(container, restoreMark, mark));
  await change(() => startContainer(docker, instance.id));
  await awaitReady(sealer, instance, alive);
  if (instance.persistence) await change(() => keepLoaded(sealer, instance, signal));
  await change(async () => {
    if ((await readMark(container, signal)) !== mark) throw new LeaseLost('another try is at it');
    await writeMark(container, restoreMark, '');
  });
}

async function writeBackup(
  vault: RestoreServices['vault'],
  container: Docker.Container,
  backup: Backup,
  signal: AbortSignal,
): Promise<void> {
  const rdb = await vault.open(backup);
  try {
    const file = { name: 'dump.rdb', sizeBytes: backup.sizeBytes ?? 0 };
    await writeDataFile(container, file, rdb, signal);
  } finally {
    rdb.destroy();
  }
}

async function readMark(container: Docker.Container, signal: AbortSignal): Promise<string> {
  return await text(await readDataFile(container, restoreMark, signal));
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
