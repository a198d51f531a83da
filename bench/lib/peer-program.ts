/** A program of the system that a benchmark is measured beside, with the folder of its settings. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { pollUntil } from '../../src/lib/retry.ts';

const startTimeoutMs = 20_000;

export interface PeerProgram {
  readonly pid: number;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

interface PeerOptions {
  readonly args: readonly string[];
  /** Removed when it is stopped. */
  readonly dir: string;
  /** Asks whether it answers; undefined or an error means not yet. */
  isReady(): Promise<true | undefined>;
}

/** Starts it and waits until it answers. @throws where it is not installed or does not. */
export async function startPeer(
  program: string,
  { args, dir, isReady }: PeerOptions,
): Promise<PeerProgram> {
  const child = spawn(program, args, { stdio: 'ignore' });
  // Where it is missing, the poll below finds nobody and the caller has already been told how to get it.
  child.on('error', () => {});
  const stop = async (): Promise<void> => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    }
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    await pollUntil(isReady, { timeoutMs: startTimeoutMs, intervalMs: 50 });
  } catch (error) {
    await stop();
    throw error;
  }
  return { pid: child.pid ?? 0, stop };
}
