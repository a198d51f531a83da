/**
 * Recovery of one stack after a run whose end nobody saw.
 *
 * What a kill can leave behind: the stack's lock file, naming a process that is dead; operations the
 * engine had begun and not recorded ("pending"), of which a create leaves a real container or volume
 * that the state does not know, so that the next create stumbles over its name.
 *
 * Order: wait until the lock's owner is gone, and only then cancel; remove what the kill left half-written
 * in the backend; read the state; remove what carries
 * the instance's label and is not in the state (it never served anybody); clear the pending operations.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { hostname, platform } from 'node:os';
import { join } from 'node:path';
import type { Deployment, LocalWorkspace, Stack } from '@pulumi/pulumi/automation/index.js';
import { pollUntil } from '../lib/retry.ts';
import { connectDocker, removeInstanceObjects } from './docker.ts';
import { type Engine, openStack, openWorkspace, stackExists } from './engine.ts';
import { dropBrokenAttributes } from './state-files.ts';

const lockWaitMs = 40_000;

interface StackState {
  readonly resources?: readonly { readonly type: string; readonly id?: string }[];
  readonly pending_operations?: readonly unknown[];
}

/**
 * Makes a stack fit for its next run; one that does not exist needs only its stray objects removed.
 * @param hasData says that the instance has run, so its volume is somebody's data: it is never removed
 * because a stack is missing.
 * @throws when it has run and its stack is missing: that is for an operator to look at.
 */
export async function recoverStack(engine: Engine, name: string, hasData: boolean): Promise<void> {
  const { settings } = engine;
  const docker = connectDocker(settings.dockerHost);
  const workspace = await openWorkspace(engine);
  dropBrokenAttributes(settings.backendUrl);
  await releaseLock(engine, workspace, name);
  if (!(await stackExists(workspace, name))) {
    if (hasData) throw new Error(`the stack of ${name}, which has run, is missing`);
    await removeInstanceObjects(docker, name, new Set());
    return;
  }
  const stack = await openStack(workspace, name);
  const state = await readState(stack);
  const known = new Set((state.resources ?? []).flatMap(({ id }) => (id ? [id] : [])));
  await removeInstanceObjects(docker, name, known);
  const isPending = (state.pending_operations ?? []).length > 0;
  if (isPending || known.size > 0) {
    await stack.refresh({
      clearPendingCreates: true,
      suppressProgress: true,
      suppressOutputs: true,
      color: 'never',
    });
  }
}

async function readState(stack: Stack): Promise<StackState> {
  const deployment: Deployment = await stack.exportStack();
  return (deployment.deployment ?? {}) as StackState;
}

/** Waits for the owner of the stack's lock to end, and removes a lock whose owner is dead. */
async function releaseLock(engine: Engine, workspace: LocalWorkspace, name: string): Promise<void> {
  const owners = lockOwners(engine.settings.backendUrl, name);
  if (owners.length === 0) return;
  await pollUntil(async () => (owners.some(isAlive) ? undefined : true), {
    timeoutMs: lockWaitMs,
    intervalMs: 200,
  });
  if (lockOwners(engine.settings.backendUrl, name).length === 0) return;
  const stack = await openStack(workspace, name);
  await stack.cancel();
}

interface LockOwner {
  readonly pid: number;
  readonly hostname: string;
}

/** Reads the lock files of a file backend; other backends answer "locked" and are waited for. */
function lockOwners(backendUrl: string, name: string): LockOwner[] {
  if (!backendUrl.startsWith('file://')) return [];
  const folder = join(
    backendUrl.slice('file://'.length),
    '.pulumi/locks/organization/swiftcache',
    name,
  );
  try {
    return readdirSync(folder)
      .filter((file) => file.endsWith('.json'))
      .map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as LockOwner);
  } catch {
    return [];
  }
}

/**
 * Whether the lock's owner may still be writing. A lock of another host is never called dead from here;
 * a process id that now belongs to something other than Pulumi is.
 */
function isAlive({ pid, hostname: host }: LockOwner): boolean {
  if (host !== hostname()) return true;
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('pulumi');
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
