/**
 * What the use cases of backups need beside those of instances.
 *
 * A backup is wanted by its row; the runner (src/provisioning/backups/runner.ts) makes it real:
 *
 *   (created) ─► QUEUED ─► RUNNING ─┬─ loaded by a Redis of its own ─► AVAILABLE ─┐
 *                  ▲          │     └─ given up ───────────────────► FAILED ──────┤
 *                  └─ again ──┘                                                   ▼
 *                               (no row) ◄── removed from the store ── DELETING ◄─┘
 *
 * Guarantees: what is AVAILABLE has been read back from the store, opened, and loaded; a backup belongs to
 * its organization and outlives its instance; nothing of it is written in clear on this machine.
 */
import type { Readable } from 'node:stream';
import type { Backup } from '../store/entities/backup.ts';

/** An RDB file as it was put into the store. */
export interface StoredFile {
  readonly sizeBytes: number;
  readonly sha256: string;
  /** The Redis that wrote it, where the file says so. */
  readonly redisVersion: string | null;
}

/** The port to the backup store: RDB files go in and come out in clear, and lie there sealed. */
export interface BackupVault {
  /**
   * Puts an RDB file into the store, whole or not at all.
   * @throws {AppError} `backup_invalid` for what is none, `body_too_large`, `backup_store_unreachable`.
   */
  put(
    target: { readonly id: string; readonly location: string },
    rdb: Readable,
    options: { readonly bytesMax: number; readonly signal?: AbortSignal },
  ): Promise<StoredFile>;
  /**
   * Gives a backup's RDB file. The stream fails before its end unless every byte is as it was stored.
   * @throws {AppError} `backup_invalid`, `backup_store_unreachable`.
   */
  open(backup: Backup): Promise<Readable>;
  /** Removes a file from the store; one that is not there is no problem. @throws {AppError} */
  remove(location: string): Promise<void>;
}

/** The port to the runner: use cases say that there is something to do, nothing more. */
export interface BackupRunner {
  wake(): void;
}

export interface BackupPorts {
  readonly vault: BackupVault;
  readonly backupRunner: BackupRunner;
}
