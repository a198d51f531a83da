/**
 * What the dead of this host left in the data directory: workers and their temporary folders, and files
 * that were being written. Each server looks after its own host.
 */
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { deadlines } from './deadlines.ts';
import { projectFolder, stateFolder } from './file-backend.ts';
import type { WorkerSettings } from './messages.ts';
import { endWorkerFolder, listOrphanedFolders, listProcessesIn } from './worker-folders.ts';

/** An orphan ends itself; one that has not done so by then hangs. */
const orphanAgeMaxMs = deadlines.orphanGraceMs + 5_000;
/** Nothing is written for so long. */
const fileAgeMinMs = 5 * 60_000;

interface LeftoverServices {
  readonly config: { readonly dataDir: string };
  readonly settings: Pick<WorkerSettings, 'stacksDir' | 'backendUrl'>;
}

/** Makes the sweep; it remembers since when it has seen an orphan. */
export function createLeftoverSweep({ config, settings }: LeftoverServices): () => void {
  const seenSinceMs = new Map<string, number>();
  const root = stateFolder(settings.backendUrl);
  const writtenTo = [settings.stacksDir, ...(root ? [projectFolder(root, 'stacks')] : [])];
  return () => {
    for (const folder of listOrphanedFolders(config.dataDir)) {
      const sinceMs = seenSinceMs.get(folder) ?? performance.now();
      seenSinceMs.set(folder, sinceMs);
      const isOver = performance.now() - sinceMs > orphanAgeMaxMs;
      if (!isOver && listProcessesIn(folder).length > 0) continue;
      endWorkerFolder(folder);
      seenSinceMs.delete(folder);
    }
    for (const folder of writtenTo) removeOldTemporaries(folder);
  };
}

/** Files are written as `NAME.<pid>.tmp` and renamed: one that is old will never be. */
function removeOldTemporaries(folder: string): void {
  const names = listFiles(folder).filter((name) => /\.\d+\.tmp$/.test(name));
  for (const path of names.map((name) => join(folder, name))) {
    const writtenMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (Date.now() - writtenMs > fileAgeMinMs) rmSync(path, { force: true });
  }
}

function listFiles(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
