/**
 * The locks of stacks: who is running Pulumi on one right now.
 *
 * In a file backend a lock is a file that names its owner, and stays after a kill. A lock is called dead
 * only where its owner is known to be gone. Other backends tell whose a lock is only where they
 * refuse a run (dead-locks.ts).
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { hostname, platform } from 'node:os';
import { basename, join } from 'node:path';
import { projectFolder, stateFolder } from './file-backend.ts';

export interface LockOwner {
  readonly pid: number;
  readonly hostname: string;
}

/** No process has this id. */
const nobody: LockOwner = { pid: 0, hostname: hostname() };

/** The owners of a stack's locks, dead ones included. */
export function lockOwners(backendUrl: string, stack: string): LockOwner[] {
  return listLocks(backendUrl, stack).map(readLock);
}

/**
 * Removes a stack's locks whose owners are dead, and no other that may have come meanwhile. In a file backend
 * that is what `pulumi cancel` does to all of them alike, where it can read the stack's state.
 */
export function removeDeadLocks(backendUrl: string, stack: string): void {
  for (const path of listLocks(backendUrl, stack)) {
    if (isAlive(readLock(path))) continue;
    rmSync(path, { force: true });
    rmSync(`${path}.attrs`, { force: true });
  }
}

/** The paths of a stack's locks in a file backend; none in another. */
function listLocks(backendUrl: string, stack: string): string[] {
  const root = stateFolder(backendUrl);
  if (!root) return [];
  const folder = join(projectFolder(root, 'locks/organization'), stack);
  try {
    return (
      readdirSync(folder)
        // Pulumi takes one that was never finished (`….json.….tmp`) for a lock too, and fails on it.
        .filter((file) => /\.json(\.\w+\.tmp)?$/.test(file))
        .map((file) => join(folder, file))
    );
  } catch {
    return [];
  }
}

/** A lock is written whole; one that does not parse was cut short with its owner's machine. */
function readLock(path: string): LockOwner {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as LockOwner;
  } catch {
    return nobody;
  }
}

/** Whether somebody may be running Pulumi on the stack. */
export function isLocked(backendUrl: string, stack: string): boolean {
  return lockOwners(backendUrl, stack).some(isAlive);
}

/**
 * Whether the lock's owner may still be writing. A lock of another host is never called dead from here;
 * a process id that now belongs to something other than Pulumi's CLI is. Its start is not compared with
 * the lock's time: a clock that was set forward would make a living owner look dead.
 */
export function isAlive({ pid, hostname: host }: LockOwner): boolean {
  if (host !== hostname()) return true;
  try {
    const [program = ''] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return basename(program) === 'pulumi';
  } catch {
    return platform() !== 'linux' && answersSignal(pid);
  }
}

function answersSignal(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
