/**
 * Checkpoints of a file backend: the file that holds a stack's state, and its older copies.
 *
 * A disk that was full or a machine that lost its power can leave one torn: empty, half, or filled with
 * zeros. Pulumi then refuses every command on the stack. The newest whole copy is as good as a run that
 * broke off at that point, and recovery knows how to go on from there.
 */
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { replaceFile } from '../lib/replace-file.ts';
import { projectFolder } from './file-backend.ts';

/** What recovery asks of a stack's state. */
export interface StackState {
  readonly resources?: readonly { readonly type: string; readonly id?: string }[];
  readonly pending_operations?: readonly unknown[];
}

/** Reads a whole checkpoint; undefined where it is torn or not there. */
export function readCheckpoint(folder: string, stack: string): StackState | undefined {
  return parseCheckpoint(checkpointPath(folder, stack));
}

/** Whether a stack has a checkpoint, torn or whole. */
export function hasCheckpoint(folder: string, stack: string): boolean {
  return existsSync(checkpointPath(folder, stack));
}

/** Whether a stack's checkpoint is there and does not parse. */
export function isTorn(folder: string, stack: string): boolean {
  return hasCheckpoint(folder, stack) && readCheckpoint(folder, stack) === undefined;
}

/**
 * Puts the newest whole copy in a torn checkpoint's place, or removes it where there is none: a stack
 * without a state can be made anew, one with a torn state cannot be used at all.
 */
export function mendCheckpoint(folder: string, stack: string): void {
  if (!isTorn(folder, stack)) return;
  const path = checkpointPath(folder, stack);
  rmSync(`${path}.attrs`, { force: true });
  const copy = listCopies(folder, stack).find((file) => parseCheckpoint(file) !== undefined);
  if (!copy) {
    rmSync(path, { force: true });
    return;
  }
  replaceFile(path, readFileSync(copy));
}

function checkpointPath(folder: string, stack: string): string {
  return join(projectFolder(folder, 'stacks'), `${stack}.json`);
}

/** The copies that the backend keeps: the state before the last write, and those at the end of runs. */
function listCopies(folder: string, stack: string): string[] {
  const places = [
    {
      dir: dirname(checkpointPath(folder, stack)),
      isCopy: (name: string) => name === `${stack}.json.bak`,
    },
    {
      dir: join(projectFolder(folder, 'backups'), stack),
      isCopy: (name: string) => name.endsWith('.json'),
    },
    {
      dir: join(projectFolder(folder, 'history'), stack),
      isCopy: (name: string) => name.endsWith('.checkpoint.json'),
    },
  ];
  return places
    .flatMap(({ dir, isCopy }) =>
      listFiles(dir)
        .filter(isCopy)
        .map((name) => join(dir, name)),
    )
    .map((path) => ({ path, writtenMs: statSync(path).mtimeMs }))
    .sort((one, other) => other.writtenMs - one.writtenMs)
    .map(({ path }) => path);
}

function parseCheckpoint(path: string): StackState | undefined {
  try {
    const file = JSON.parse(readFileSync(path, 'utf8')) as {
      version?: number;
      checkpoint?: { latest?: StackState | null };
    };
    return file.version && file.checkpoint ? (file.checkpoint.latest ?? {}) : undefined;
  } catch {
    return undefined;
  }
}

function listFiles(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
