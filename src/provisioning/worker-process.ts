/**
 * A worker's process: forked with an allow-listed environment, leading a process group of its own, and ended
 * with all that is in it.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import type { Config } from '../config.ts';
import type { WorkerSettings } from './messages.ts';

/** Forks a worker; `folder` is its own for temporary files, and marks what it starts. */
export function forkWorker(
  workerFile: string,
  config: Config,
  settings: WorkerSettings,
  folder: string,
): ChildProcess {
  const child = fork(workerFile, [], {
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: [],
    env: {
      PATH: [settings.pulumiBinDir, dirnameOfNode(), config.path].join(':'),
      HOME: config.home,
      TMPDIR: folder,
      PULUMI_HOME: settings.pulumiHome,
      PULUMI_SKIP_UPDATE_CHECK: 'true',
      DOCKER_HOST: settings.dockerHost,
      ...config.stateCredentials,
    },
  });
  yieldToRequests(child);
  child.send({ type: 'settings', settings });
  return child;
}

/** Runs are long and heavy, answers short: where both want the processor, answers come first. */
function yieldToRequests({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    // It ended at once, or this system lets nobody: then both have the same share.
  }
}

/** The provider plugin's script asks PATH for node; it must be the one that runs the service. */
function dirnameOfNode(): string {
  return process.execPath.slice(0, process.execPath.lastIndexOf('/'));
}

/** Cuts the channel (the worker then interrupts its run and ends), and kills the group if it stays. */
export async function endWorker(child: ChildProcess, graceMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  if (child.connected) child.disconnect();
  const timer = setTimeout(() => killGroup(child), graceMs);
  await exited;
  clearTimeout(timer);
}

/** Kills whatever of the worker's group is left. */
export function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The group ended between the look and the signal.
  }
}
