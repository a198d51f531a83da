/**
 * The runner: makes backups real, and removes those that are wanted no longer.
 *
 * Guarantees: several servers share the work by claims, any of them can die, and what it broke off is begun
 * again; a backup is tried a bounded number of times, a removal without end, and no try takes for ever;
 * AVAILABLE is only what a Redis has loaded as the store gave it; of what failed no file stays.
 */

import type { BackupRunner } from '../../backups/services.ts';
import { AppError } from '../../lib/errors.ts';
import { heartbeatMs } from '../../lib/lease-times.ts';
import { maskSecrets } from '../../lib/logger.ts';
import { backoffMs } from '../../lib/retry.ts';
import { SealedFileError } from '../../lib/sealed-file.ts';
import { BackupEntity } from '../../store/entities/backup.ts';
import { connectDocker } from '../docker.ts';
import { sweepChecks } from './check-rdb.ts';
import {
  type BackupClaim,
  ClaimLost,
  claimNext,
  forget,
  freeDeadClaims,
  giveBack,
  renewClaim,
  writeClaimed,
} from './claims.ts';
import { type BackupServices, takeBackup, verifyBackup } from './take-backup.ts';

const pollMs = 1_000;
/** Each has a throw-away Redis as large as its instance. */
const inHandMax = 2;
const triesMax = 3;
/** Every part of a try has its own limit; this is for what none of them sees. */
const tryTimeoutMs = 2 * 3_600_000;
const takeBackoff = { baseMs: 1_000, maxMs: 10_000 };
const removeBackoff = { baseMs: 1_000, maxMs: 60_000 };

export interface StartedBackupRunner extends BackupRunner {
  /** Frees and removes what dead processes left and begins to work. */
  start(): Promise<void>;
  /** Claims nothing more, breaks off the work in hand and gives it back. */
  stop(): Promise<void>;
}

export function createBackupRunner(services: BackupServices): StartedBackupRunner {
  const { logger, config, isGone } = services;
  const stopping = new AbortController();
  const inHand = new Set<Promise<void>>();
  let timer: NodeJS.Timeout | undefined;
  let claiming = Promise.resolve();

  const fill = async (): Promise<void> => {
    while (!stopping.signal.aborted && inHand.size < inHandMax) {
      const claim = await claimNext(services);
      if (!claim) return;
      const work: Promise<void> = runClaim(services, claim, stopping.signal).finally(() => {
        inHand.delete(work);
        wake();
      });
      inHand.add(work);
    }
  };
  const wake = (): void => {
    claiming = claiming
      .then(fill)
      .catch((error) => logger.error({ err: error }, 'claiming backups failed'));
  };

  return {
    wake,
    async start() {
      await freeDeadClaims(services, isGone);
      sweepChecks(connectDocker(config.dockerHost), services).catch((error) =>
        logger.warn({ err: error }, 'left-over checks of backups were not removed'),
      );
      timer = setInterval(wake, pollMs);
      wake();
    },
    async stop() {
      stopping.abort();
      clearInterval(timer);
      await claiming;
      await Promise.allSettled(inHand);
    },
  };
}

/** One try at one backup, from the claim to its outcome. Never rejects. */
async function runClaim(
  services: BackupServices,
  claim: BackupClaim,
  stopping: AbortSignal,
): Promise<void> {
  const { logger } = services;
  const lost = new AbortController();
  const heartbeat = setInterval(() => {
    renewClaim(services, claim).catch((error) => {
      if (error instanceof ClaimLost) lost.abort(error);
      else logger.warn({ err: error }, 'a heartbeat of a backup failed');
    });
  }, heartbeatMs);
  try {
    await withinTime(
      (late) => doNext(services, claim, AbortSignal.any([lost.signal, stopping, late])),
      tryTimeoutMs,
    );
  } catch (error) {
    await noteFailure(services, claim, error, stopping).catch((failure) => {
      // The claim runs out by itself, and the next one goes on.
      logger.warn({ err: failure, backupId: claim.backupId }, 'a try at a backup broke off');
    });
  } finally {
    clearInterval(heartbeat);
  }
}

/** @throws where `work` has not ended in time: then it is told, and not waited for. */
export async function withinTime(
  work: (late: AbortSignal) => Promise<void>,
  timeoutMs: number,
): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const late = new AbortController();
  const timer = setTimeout(() => {
    const error = new Error(`the try did not end within ${timeoutMs} ms`);
    late.abort(error);
    reject(error);
  }, timeoutMs);
  try {
    await Promise.race([work(late.signal), promise]);
  } finally {
    clearTimeout(timer);
  }
}

async function doNext(
  services: BackupServices,
  claim: BackupClaim,
  signal: AbortSignal,
): Promise<void> {
  const { orm, vault, clock, logger } = services;
  const { backupId } = claim;
  const backup = await orm.em.fork().findOneOrFail(BackupEntity, { id: backupId });
  if (backup.status === 'DELETING') {
    if (backup.location) await vault.remove(backup.location);
    await forget(orm, claim);
    return;
  }
  if (backup.status === 'FAILED') {
    if (backup.location) await vault.remove(backup.location);
    const free = { leaseOwner: null, leaseExpiresAtMs: 0 };
    await writeClaimed(orm, claim, { location: null, ...free });
    return;
  }
  if (backup.sizeBytes === null && backup.kind === 'import') {
    throw new AppError('backup_invalid', 'The upload broke off.');
  }
  if (backup.sizeBytes === null) await takeBackup(services, claim, backup, signal);
  const loaded = await verifyBackup(services, backup, signal);
  const now = clock.now();
  const times = { verifiedAt: now, finishedAt: now };
  const free = { leaseOwner: null, leaseExpiresAtMs: 0, errorCode: null, errorMessage: null };
  await writeClaimed(orm, claim, { ...loaded, ...times, ...free, status: 'AVAILABLE' });
  logger.info({ backupId, ...loaded }, 'a backup is available');
}

async function noteFailure(
  services: BackupServices,
  claim: BackupClaim,
  error: unknown,
  stopping: AbortSignal,
): Promise<void> {
  const { orm, clock, logger } = services;
  const { backupId, attempts } = claim;
  if (stopping.aborted) {
    await giveBack(services, claim, { waitMs: 0, attempts: attempts - 1 });
    return;
  }
  const { code, message, isFinal } = explainBackupFailure(error);
  const detail = maskSecrets(error instanceof Error ? describe(error) : String(error));
  logger.warn({ backupId, attempts, code, detail }, 'a try at a backup failed');
  const backup = await orm.em.fork().findOneOrFail(BackupEntity, { id: backupId });
  if (backup.status === 'DELETING' || backup.status === 'FAILED') {
    await giveBack(services, claim, { waitMs: backoffMs(attempts, removeBackoff), attempts });
  } else if (!isFinal && attempts < triesMax) {
    await giveBack(services, claim, { waitMs: backoffMs(attempts, takeBackoff), attempts });
  } else {
    const outcome = { errorCode: code, errorMessage: message, finishedAt: clock.now() };
    // Where it has a file, the next claim removes that.
    const free = { leaseOwner: null, leaseExpiresAtMs: 0, attempts: 0 };
    await writeClaimed(orm, claim, { status: 'FAILED', ...outcome, ...free });
  }
}

function describe({ message, cause }: Error): string {
  return cause instanceof Error ? `${message} (${cause.message})` : message;
}

/** What a failure is called, and whether another try could end otherwise. */
export function explainBackupFailure(error: unknown): {
  readonly code: AppError['code'];
  readonly message: string;
  readonly isFinal: boolean;
} {
  if (error instanceof AppError) {
    const isFinal = error.code !== 'backup_store_unreachable';
    return { code: error.code, message: error.message, isFinal };
  }
  if (error instanceof SealedFileError) {
    const message = `The stored backup cannot be read: ${error.message}.`;
    return { code: 'backup_invalid', message, isFinal: true };
  }
  const message = 'It failed for a reason that the operator finds in the log.';
  return { code: 'backup_failed', message, isFinal: false };
}
