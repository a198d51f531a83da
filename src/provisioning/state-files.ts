/** The files of a file backend: what a kill leaves half-written, and what a removed stack leaves behind. */
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder, type StateKind, stateFolder } from './file-backend.ts';
import type { WorkerSettings } from './messages.ts';
import { removeStackConfig } from './stack-config.ts';

/** The folders that have a folder for each stack. */
const stackFolders: readonly StateKind[] = ['history', 'backups', 'locks/organization'];

/**
 * Removes all traces of a stack that no longer exists: backups hold the secrets of who deleted it. In
 * other backends Pulumi's own `stack rm` is all that is removed.
 */
export function purgeStackFiles(settings: WorkerSettings, stack: string): void {
  removeStackConfig(settings.stacksDir, stack);
  const root = stateFolder(settings.backendUrl);
  if (!root) return;
  for (const folder of stackFolders) {
    rmSync(join(projectFolder(root, folder), stack), { recursive: true, force: true });
  }
  const stacks = projectFolder(root, 'stacks');
  for (const file of listFiles(stacks)) {
    if (file.startsWith(`${stack}.json`)) rmSync(join(stacks, file), { force: true });
  }
}

/** The stacks that any file is about, with the time the newest of their files was written. */
export function listStackFiles(
  settings: Pick<WorkerSettings, 'stacksDir' | 'backendUrl'>,
): { stack: string; writtenMs: number }[] {
  const root = stateFolder(settings.backendUrl);
  const found = [...listStackConfigs(settings.stacksDir), ...(root ? listStateFiles(root) : [])];
  const newest = new Map<string, number>();
  for (const { stack, path } of found) {
    const writtenMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    newest.set(stack, Math.max(newest.get(stack) ?? 0, writtenMs));
  }
  return [...newest].map(([stack, writtenMs]) => ({ stack, writtenMs }));
}

interface StackFile {
  readonly stack: string;
  readonly path: string;
}

function listStackConfigs(stacksDir: string): StackFile[] {
  return listFiles(stacksDir).flatMap((name) => {
    const stack = /^Pulumi\.(.+?)\.yaml/.exec(name)?.[1];
    return stack ? [{ stack, path: join(stacksDir, name) }] : [];
  });
}

function listStateFiles(root: string): StackFile[] {
  const inFolders = stackFolders.flatMap((folder) => {
    const parent = projectFolder(root, folder);
    return listFiles(parent).map((stack) => ({ stack, path: join(parent, stack) }));
  });
  const stacks = projectFolder(root, 'stacks');
  const checkpoints = listFiles(stacks).flatMap((name) => {
    const stack = /^(.+?)\.json/.exec(name)?.[1];
    return stack ? [{ stack, path: join(stacks, name) }] : [];
  });
  return [...inFolders, ...checkpoints];
}

/**
 * Removes attribute files of checkpoints that a kill left half-written. The backend writes a checkpoint
 * itself whole or not at all, but these beside it not, and one that does not parse makes every command
 * that lists stacks fail, for all instances. Without one, the backend takes its defaults.
 */
export function dropBrokenAttributes(backendUrl: string): void {
  const root = stateFolder(backendUrl);
  if (!root) return;
  const stacks = projectFolder(root, 'stacks');
  for (const file of listFiles(stacks).filter((name) => name.endsWith('.attrs'))) {
    const path = join(stacks, file);
    if (!isJson(path)) rmSync(path, { force: true });
  }
}

function isJson(path: string): boolean {
  try {
    JSON.parse(readFileSync(path, 'utf8'));
    return true;
  } catch {
    return false;
  }
}

function listFiles(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
