/** The files of a file backend: what a kill leaves half-written, and what a removed stack leaves behind. */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { WorkerSettings } from './messages.ts';
import { removeStackConfig } from './stack-config.ts';

const project = 'swiftcache';

/**
 * Removes all traces of a stack that no longer exists: backups hold the secrets of who deleted it. In
 * other backends Pulumi's own `stack rm` is all that is removed.
 */
export function purgeStackFiles(settings: WorkerSettings, stack: string): void {
  removeStackConfig(settings.stacksDir, stack);
  if (!settings.backendUrl.startsWith('file://')) return;
  const root = join(settings.backendUrl.slice('file://'.length), '.pulumi');
  for (const folder of ['history', 'backups', 'locks/organization']) {
    rmSync(join(root, folder, project, stack), { recursive: true, force: true });
  }
  const stacks = join(root, 'stacks', project);
  for (const file of listFiles(stacks)) {
    if (file.startsWith(`${stack}.json`)) rmSync(join(stacks, file), { force: true });
  }
}

/**
 * Removes attribute files of checkpoints that a kill left half-written. The backend writes a checkpoint
 * itself whole or not at all, but these beside it not, and one that does not parse makes every command
 * that lists stacks fail, for all instances. Without one, the backend takes its defaults.
 */
export function dropBrokenAttributes(backendUrl: string): void {
  if (!backendUrl.startsWith('file://')) return;
  const stacks = join(backendUrl.slice('file://'.length), '.pulumi/stacks', project);
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
