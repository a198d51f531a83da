/**
 * The audit: after any fault, what the service knows and what is really there are the same.
 *
 * rows = stacks = configuration files = containers = volumes = ports; nothing of what was deleted is left;
 * no process, lock or half-written file outlives its work; no secret is where it does not belong
 * (secrets.ts). It gives what is wrong in words; an empty list is a clean world. What is just being put
 * away has `settleMs` to be gone.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '../../src/config.ts';
import { locateProject } from '../../src/provisioning/project.ts';
import { listProcessesIn } from '../../src/provisioning/worker-folders.ts';
import type { Instance } from '../../src/store/entities/instance.ts';
import { SettingEntity } from '../../src/store/entities/setting.ts';
import { listProcesses, withDescendants } from '../support/processes.ts';
import { runPulumi } from '../support/pulumi.ts';
import { findLeakedSecrets } from './secrets.ts';
import type { World } from './world.ts';

/** An orphaned worker may take twenty seconds to let Pulumi save its state (worker.ts). */
const settleMs = 35_000;

/** Looks at everything; gives what is wrong. */
export async function auditWorld(world: World): Promise<string[]> {
  const deadlineMs = performance.now() + settleMs;
  for (;;) {
    const wrong = [...(await compareObjects(world)), ...listLeftovers(world)];
    if (wrong.length === 0) return await findLeakedSecrets(world);
    if (performance.now() > deadlineMs) return wrong;
    await sleep(500);
  }
}

/** Has an operator's Pulumi look at every stack: none of them would change. */
export async function previewStacks(world: World): Promise<string[]> {
  const wrong: string[] = [];
  for (const { id, status } of await liveRows(world)) {
    if (status === 'FAILED') continue;
    try {
      await runPulumi(world.service, `preview -s ${id} --expect-no-changes --diff`);
    } catch (error) {
      const { stdout } = error as { stdout?: string };
      wrong.push(`preview of ${id} shows changes: ${(stdout ?? String(error)).slice(-800)}`);
    }
  }
  return wrong;
}

async function compareObjects(world: World): Promise<string[]> {
  const { rows, installation } = await world.withRows(async (all, orm) => {
    const setting = await orm.em.fork().findOne(SettingEntity, { name: 'installation' });
    return { rows: all, installation: setting?.value ?? '' };
  });
  const live = rows.filter(({ status }) => status !== 'DELETED');
  // One that failed may have stopped at any point; what there is of it must still be its own.
  const must = live.filter(({ status }) => status !== 'FAILED').map(({ id }) => id);
  const may = new Set(live.map(({ id }) => id));
  const filters = { label: [`swiftcache.installation=${installation}`] };
  const containers = await world.docker.listContainers({ all: true, filters });
  const volumes = (await world.docker.listVolumes({ filters })).Volumes ?? [];
  const networks = await world.docker.listNetworks({ filters });
  const idOf = (thing: { Labels?: Record<string, string> | null }): string =>
    thing.Labels?.['swiftcache.instance'] ?? 'without an instance';
  return [
    ...compare('container', containers.map(idOf), must, may),
    ...compare('volume', volumes.map(idOf), must, may),
    ...compare('stack', listStacks(world), must, may),
    ...compare('stack configuration', listConfigurations(world), must, may),
    ...comparePorts(containers, live, idOf),
    ...rows.filter(isHalfDeleted).map(({ id }) => `row ${id} is DELETED but keeps something`),
    ...(networks.length > 1 ? [`${networks.length} networks for one region`] : []),
  ];
}

function compare(
  what: string,
  found: readonly string[],
  must: readonly string[],
  may: ReadonlySet<string>,
): string[] {
  const names = new Set(found);
  return [
    ...must.filter((id) => !names.has(id)).map((id) => `${id} has no ${what}`),
    ...found.filter((id) => !may.has(id)).map((id) => `${what} of ${id}, which is not there`),
    ...(names.size < found.length ? [`more than one ${what} of an instance`] : []),
  ];
}

function comparePorts(
  containers: Awaited<ReturnType<World['docker']['listContainers']>>,
  live: readonly Instance[],
  idOf: (container: { Labels: Record<string, string> }) => string,
): string[] {
  return containers.flatMap((container) => {
    const row = live.find(({ id }) => id === idOf(container));
    const open = container.Ports.filter(({ PublicPort }) => PublicPort).map((p) => p.PublicPort);
    if (!row || row.status === 'FAILED' || row.power === 'off') return [];
    return open.includes(row.nodePort ?? -1)
      ? []
      : [`${row.id} is ${row.status} on port ${row.nodePort}, its container on ${open.join()}`];
  });
}

function isHalfDeleted({ status, nodePort, nodeHost, passwordSealed, reservedMib }: Instance) {
  if (status !== 'DELETED') return false;
  return nodePort !== null || nodeHost !== null || passwordSealed !== null || reservedMib !== 0;
}

/** What must not be there once nothing is under way: processes, locks, files beside checkpoints. */
function listLeftovers(world: World): string[] {
  const { service, seenProcesses } = world;
  const processes = listProcesses();
  const under = withDescendants(processes, service.pid === undefined ? [] : [service.pid]);
  const strays = processes.filter(({ pid, text }) => {
    const isOurs = seenProcesses.has(pid) || text.includes(service.dataDir);
    return isOurs && !under.has(pid) && pid !== process.pid;
  });
  const runs = processes.filter(({ pid }) => under.has(pid) && isPulumiRun(pid));
  const names = (pid: number): string => commandOf(pid).slice(0, 120);
  return [
    ...strays.map(({ pid }) => `process ${pid} outlived its service: ${names(pid)}`),
    ...runs.map(({ pid }) => `a Pulumi run goes on: ${names(pid)}`),
    ...listLocks(world).map((file) => `lock ${file}`),
    ...listIdleFolders(world).map(
      (folder) => `temporary folder ${folder} of a worker that is gone`,
    ),
  ];
}

/** Temporary folders that no worker has any more. */
function listIdleFolders({ service }: World): string[] {
  const parent = join(service.dataDir, 'tmp');
  const folders = existsSync(parent) ? readdirSync(parent) : [];
  return folders.filter((folder) => listProcessesIn(join(parent, folder)).length === 0);
}

function isPulumiRun(pid: number): boolean {
  return /(^|\/)pulumi( |$)/.test(commandOf(pid).split(' ')[0] ?? '');
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

/** The folder of a file backend, or undefined where the state is elsewhere. */
export function backendFolder({ service }: World): string | undefined {
  const { stateBackendUrl } = loadConfig(service.environment);
  if (!stateBackendUrl.startsWith('file://')) return undefined;
  return join(stateBackendUrl.slice('file://'.length), '.pulumi');
}

function listLocks(world: World): string[] {
  const folder = backendFolder(world);
  const locks = folder && join(folder, 'locks');
  if (!locks || !existsSync(locks)) return [];
  const files = readdirSync(locks, { recursive: true, encoding: 'utf8' });
  return files.filter((file) => file.includes('.json'));
}

function listStacks(world: World): string[] {
  const folder = backendFolder(world);
  const stacks = folder && join(folder, 'stacks/swiftcache');
  if (!stacks || !existsSync(stacks)) return [];
  return readdirSync(stacks).flatMap((file) => /^(inst_\w+)\.json$/.exec(file)?.[1] ?? []);
}

function listConfigurations({ service }: World): string[] {
  const { stacksDir } = locateProject(loadConfig(service.environment));
  return readdirSync(stacksDir).flatMap((file) => /(inst_\w+)\.yaml$/.exec(file)?.[1] ?? []);
}

async function liveRows(world: World): Promise<Instance[]> {
  return await world.withRows(async (rows) => rows.filter(({ status }) => status !== 'DELETED'));
}
