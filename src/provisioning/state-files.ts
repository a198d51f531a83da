/** What a removed stack leaves behind in a file backend: history, backups, old checkpoints, locks. */
import { readdirSync, rmSync } from 'node:fs';
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

function listFiles(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
