/**
 * Recovery of one stack after a run whose end nobody saw.
 *
 * What can be left behind: the stack's lock file, naming a process that is dead; operations the engine had
 * begun and not recorded ("pending"), of which a create leaves a real container or volume that the state
 * does not know, so that the next create stumbles over its name; a checkpoint that is torn or gone.
 *
 * Order: wait until the lock's owner is gone, ask whether the run may begin, and only then mend the backend's
 * files and remove the lock; remove what carries the instance's label and is not in the state; clear the
 * pending operations.
 *
 * Guarantees: the volume of an instance that has run is never removed here. Where the state does not know
 * it, the next run takes it over, and with it the platform's password that its users were made with; a
 * container that the state does not know is stopped in order first, so that its data is in the volume.
 */

import type { Deployment, Stack } from '@pulumi/pulumi/automation/index.js';
import type Docker from 'dockerode';
import type { Adoption } from '../../infra/adoption.ts';
import { pollUntil } from '../lib/retry.ts';
import { mendCheckpoint, readCheckpoint, type StackState } from './checkpoints.ts';
import { deadlines } from './deadlines.ts';
import {
  connectDocker,
  findNetwork,
  listVolumesOf,
  removeContainers,
  removeVolumes,
  requireDocker,
} from './docker.ts';
import {
  type Engine,
  openStack,
  openWorkspace,
  type RunOptions,
  reportProgress,
  stackExists,
} from './engine.ts';
import { stateFolder } from './file-backend.ts';
import type { Job } from './messages.ts';
import { isAlive, isLocked, lockOwners, removeDeadLocks } from './stack-locks.ts';
import { dropBrokenAttributes } from './state-files.ts';

const passwordType = 'swiftcache:index:InstancePassword';
const networkType = 'docker:index/network:Network';

/** Makes a stack fit for its next run. Gives what that run is to take over. */
export async function recoverStack(engine: Engine, job: Job, run: RunOptions): Promise<Adoption> {
  const { backendUrl, dockerHost } = engine.settings;
  const { stack: name } = job;
  const docker = connectDocker(dockerHost);
  await requireDocker(docker);
  const workspace = await openWorkspace(engine);
  await mendBackend(engine, name, run);
  if (!(await stackExists(engine, workspace, name))) return await clearWay(docker, job, {}, run);
  const stack = await openStack(workspace, name);
  const state = await readState(backendUrl, name, stack);
  const adoption = await clearWay(docker, job, state, run);
  if ((state.pending_operations ?? []).length > 0 || (state.resources ?? []).length > 0) {
    await stack.refresh({
      clearPendingCreates: true,
      suppressProgress: true,
      suppressOutputs: true,
      color: 'never',
      signal: run.signal,
      onEvent: (event) => reportProgress(event, run),
    });
  }
  return adoption;
}

/** Removes a stack that cannot be destroyed, and none of its things: whoever asks removes those by label. */
export async function forgetStack(engine: Engine, name: string, run: RunOptions): Promise<void> {
  await awaitLockOwner(engine, name, run);
  const workspace = await openWorkspace(engine);
  await mendBackend(engine, name, run);
  if (await stackExists(engine, workspace, name)) {
    await workspace.removeStack(name, { force: true });
  }
}

async function readState(backendUrl: string, name: string, stack: Stack): Promise<StackState> {
  const folder = stateFolder(backendUrl);
  const read = folder && readCheckpoint(folder, name);
  if (read) return read;
  const deployment: Deployment = await stack.exportStack();
  return (deployment.deployment ?? {}) as StackState;
}

/** Removes what the state does not know and a run would stumble over, and names what it can take over. */
async function clearWay(
  docker: Docker,
  job: Job,
  { resources = [] }: StackState,
  { onProgress }: RunOptions,
): Promise<Adoption> {
  const known = new Set(resources.flatMap(({ id }) => (id ? [id] : [])));
  const has = (type: string): boolean => resources.some((resource) => resource.type === type);
  onProgress(deadlines.silenceOfStopMs);
  await removeContainers(docker, job.stack, known, { graceful: job.hasData });
  onProgress(deadlines.silenceMs);
  if (!job.hasData) await removeVolumes(docker, job.stack, known);
  if (job.kind !== 'apply') return {};
  const [volume] = (await listVolumesOf(docker, job.stack)).filter((found) => !known.has(found));
  const network = has(networkType) ? undefined : await findNetwork(docker, networkOf(job));
  return {
    ...(volume && { volume }),
    ...(job.password && !has(passwordType) && { password: job.password }),
    ...(network && { network }),
  };
}

/** The network that a region's stack makes; none in an instance's, which only uses it. */
function networkOf({ values }: Extract<Job, { kind: 'apply' }>): string | undefined {
  const isRegion = values['swiftcache:kind'] === 'region';
  return isRegion ? String(values['swiftcache:network']) : undefined;
}

/** Waits for the owner of the stack's lock to end: an orphan may be finishing its run. @throws after 22 s, or once interrupted. */
export async function awaitLockOwner(
  { settings }: Engine,
  name: string,
  { signal }: Pick<RunOptions, 'signal'>,
): Promise<void> {
  const isFree = async () => !lockOwners(settings.backendUrl, name).some(isAlive) || undefined;
  await pollUntil(isFree, { timeoutMs: deadlines.lockWaitMs, intervalMs: 200, signal });
}

/**
 * Asks leave, mends what the files of a file backend became in a kill, and removes the locks of the dead.
 * Whoever lost the lease meanwhile touches nothing: all of it may be another's by now.
 */
async function mendBackend(engine: Engine, name: string, { askLeave }: RunOptions): Promise<void> {
  await askLeave();
  const { backendUrl } = engine.settings;
  // A living one has come meanwhile: Pulumi refuses the run, and the next try begins with a new look.
  if (isLocked(backendUrl, name)) return;
  dropBrokenAttributes(backendUrl);
  const folder = stateFolder(backendUrl);
  if (folder) mendCheckpoint(folder, name);
  removeDeadLocks(backendUrl, name);
}
