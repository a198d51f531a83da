/**
 * The temporary folders of workers, one each in the data directory, and how what runs in them is ended.
 *
 * A worker and everything it starts, however deep, has its folder as TMPDIR in its environment. So a
 * folder finds its processes, also those that lead groups of their own and outlived their parents (a
 * provider that the CLI started), and temporary files of a run, which hold secrets, end with it.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isGoneFromHere, processIdentity } from './process-identity.ts';

const separator = '~';

/** Makes a folder for a worker of this process; its name says whose it is. */
export function makeWorkerFolder(dataDir: string): string {
  const parent = foldersOf(dataDir);
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  const owner = processIdentity().replaceAll(':', separator);
  return mkdtempSync(join(parent, owner + separator));
}

/** Kills what still runs in a folder and removes it. */
export function endWorkerFolder(folder: string): void {
  for (const pid of listProcessesIn(folder)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended between the look and the signal.
    }
  }
  rmSync(folder, { recursive: true, force: true });
}

/**
 * Lists the folders of services of this host that are gone. Their workers may be about to save the state
 * of a run: whoever ends them gives them the time for it first.
 */
export function listOrphanedFolders(dataDir: string): string[] {
  const parent = foldersOf(dataDir);
  try {
    return readdirSync(parent)
      .filter((name) => isGoneFromHere(ownerOf(name)))
      .map((name) => join(parent, name));
  } catch {
    return [];
  }
}

/** The processes that have the folder as their TMPDIR. */
export function listProcessesIn(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && readEnvironment(name).includes(`TMPDIR=${folder}`))
    .map(Number);
}

function foldersOf(dataDir: string): string {
  return join(dataDir, 'tmp');
}

/** `host~pid~start~random` names the process `host:pid:start`. */
function ownerOf(name: string): string {
  return name.split(separator).slice(0, -1).join(':');
}

function readEnvironment(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
  } catch {
    // It ended, or is another user's.
    return [];
  }
}
