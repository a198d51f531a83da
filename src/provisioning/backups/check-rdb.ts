/**
 * The check of a backup: a throw-away Redis loads it.
 *
 * Guarantees: it runs in a container without network or rights, as large as the instance's; what it loads
 * is what the store gave, opened and checked; it ends within an hour; the container and its volume are
 * removed whatever happens, and what was left behind all the same is removed by the sweep.
 */
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { containerMemoryMib } from '../../../infra/sizing.ts';
import type { BackupVault } from '../../backups/services.ts';
import type { Clock } from '../../lib/clock.ts';
import { AppError } from '../../lib/errors.ts';
import type { Backup } from '../../store/entities/backup.ts';
import type { Instance } from '../../store/entities/instance.ts';
import { installationLabel } from '../docker.ts';
import { writeDataFile } from './container-files.ts';

const purposeLabel = 'swiftcache.purpose';
const purpose = 'backup-check';
/** Whose check it is: the sweep asks whether that one still lives. */
const holderLabel = 'swiftcache.holder';
const bytesPerMib = 1024 * 1024;
const loadTimeoutMs = 10 * 60_000;
const checkTimeoutMs = 60 * 60_000;
/** What is older is nobody's any more, whoever made it. */
const ageMaxMs = checkTimeoutMs + 10 * 60_000;
const pollMs = 100;

export interface CheckServices {
  readonly docker: Docker;
  readonly vault: Pick<BackupVault, 'open'>;
  readonly installationId: string;
  /** The process's identity. */
  readonly holder: string;
}

/** What a Redis that had loaded a backup said of it. */
export interface LoadedBackup {
  readonly keyCount: number;
  /** The memory of the data, as maxmemory counts it. */
  readonly memoryBytes: number;
}

/**
 * Loads a backup in a Redis such as the instance's.
 * @throws {AppError} `backup_invalid` where it does not load, and what opening it throws.
 */
export async function checkRdb(
  { docker, vault, installationId, holder }: CheckServices,
  backup: Backup,
  { image, maxMemoryBytes, persistence }: Instance,
  giveUp: AbortSignal,
): Promise<LoadedBackup> {
  const signal = AbortSignal.any([giveUp, AbortSignal.timeout(checkTimeoutMs)]);
  const memory = containerMemoryMib(maxMemoryBytes, persistence) * bytesPerMib;
  const container = await docker.createContainer({
    Image: image,
    User: '999:999',
    Cmd: ['redis-server', ...['--dir', '/data', '--save', '', '--appendonly', 'no']],
    Labels: {
      [installationLabel]: installationId,
      [purposeLabel]: purpose,
      [holderLabel]: holder,
    },
    Volumes: { '/data': {} },
    HostConfig: {
      NetworkMode: 'none',
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges:true'],
      PidsLimit: 64,
      Memory: memory,
      MemorySwap: memory,
      LogConfig: { Type: 'json-file', Config: { 'max-size': '1m' } },
    },
  });
  let rdb: Readable | undefined;
  try {
    rdb = await vault.open(backup);
    const file = { name: 'dump.rdb', sizeBytes: backup.sizeBytes ?? 0 };
    await writeDataFile(container, file, rdb, signal);
    await container.start();
    return await awaitLoaded(container, signal);
  } finally {
    rdb?.destroy();
    await container.remove({ force: true, v: true });
  }
}

async function awaitLoaded(
  container: Docker.Container,
  signal: AbortSignal,
): Promise<LoadedBackup> {
  const deadlineMs = performance.now() + loadTimeoutMs;
  while (performance.now() < deadlineMs) {
    const info = await askInfo(container);
    if (info && /^loading:0/m.test(info)) return readInfo(info);
    const { State } = await container.inspect();
    if (!State.Running) throw await describeEnd(container, State.OOMKilled);
    await sleep(pollMs, undefined, { signal });
  }
  throw new AppError('backup_invalid', 'Redis did not load it in ten minutes.');
}

/** INFO from inside; undefined while Redis does not answer yet. */
async function askInfo(container: Docker.Container): Promise<string | undefined> {
  try {
    const exec = await container.exec({
      Cmd: ['redis-cli', 'INFO'],
      AttachStdout: true,
      Tty: true,
    });
    const stream = await exec.start({ Tty: true });
    let text = '';
    for await (const chunk of stream) text += chunk;
    return /^redis_version:/m.test(text) ? text : undefined;
  } catch (error) {
    // 409: it has ended since.
    if ((error as { statusCode?: number }).statusCode === 409) return undefined;
    throw error;
  }
}

function readInfo(info: string): LoadedBackup {
  const read = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1]);
  return {
    keyCount: read('rdb_last_load_keys_loaded'),
    memoryBytes: read('used_memory') - read('mem_not_counted_for_evict'),
  };
}

/** Why Redis refused it: its own words are known, and hold nothing of the data. */
async function describeEnd(container: Docker.Container, isOutOfMemory: boolean): Promise<AppError> {
  const log = String(await container.logs({ stdout: true, stderr: true, tail: 50 }));
  const isNewer = /Can't handle RDB format version (\d+)/.exec(log);
  const message = isOutOfMemory
    ? 'It needs more memory than the instance has.'
    : isNewer
      ? `It was written by a newer Redis (RDB version ${isNewer[1]}) than the instance runs.`
      : 'Redis ended while it loaded it: it is damaged or cut off.';
  return new AppError('backup_invalid', message, { detail: log.slice(-2_000) });
}

interface SweepServices {
  readonly clock: Clock;
  readonly installationId: string;
  readonly isGone: (holder: string) => boolean;
}

/** Removes the checks of this installation whose holders are gone, and those that no check can still be. */
export async function sweepChecks(
  docker: Docker,
  { clock, installationId, isGone }: SweepServices,
): Promise<void> {
  const oldestMs = clock.now().getTime() - ageMaxMs;
  const label = [`swiftcache.installation=${installationId}`, `${purposeLabel}=${purpose}`];
  const found = await docker.listContainers({ all: true, filters: { label } });
  for (const { Id, Labels, Created } of found) {
    if (Created * 1_000 > oldestMs && !isGone(Labels[holderLabel] ?? '')) continue;
    await docker.getContainer(Id).remove({ force: true, v: true });
  }
}
