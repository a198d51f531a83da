/** The files in which a service keeps its stacks' state, and what kills and losses make of them. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestService } from './service.ts';

/** The folder of a service's file backend. */
export function stateDir({ dataDir }: TestService): string {
  return join(dataDir, 'pulumi/.pulumi');
}

/** Leaves of a stack's checkpoint what `tear` makes of a small one. */
export function tearCheckpoint(
  service: TestService,
  instanceId: string,
  tear: (whole: string) => string,
): void {
  const path = join(stateDir(service), `stacks/swiftcache/${instanceId}.json`);
  writeFileSync(path, tear('{"version":3,"checkpoint":{"latest":{}}}'));
}

/** Leaves the attributes of a stack's checkpoint as a kill does that comes when they were just opened. */
export function tearAttributes(service: TestService, instanceId: string): void {
  writeFileSync(join(stateDir(service), `stacks/swiftcache/${instanceId}.json.attrs`), '');
}

/** Leaves the lock of a process that has ended. */
export async function leaveLock(service: TestService, instanceId: string): Promise<void> {
  const ended = spawn('true');
  await once(ended, 'exit');
  const folder = join(stateDir(service), 'locks/organization/swiftcache', instanceId);
  mkdirSync(folder, { recursive: true });
  const lock = { pid: ended.pid, username: 'root', hostname: hostname(), timestamp: new Date() };
  writeFileSync(join(folder, `${randomUUID()}.json`), JSON.stringify(lock));
}

/** Removes what the backend keeps of a checkpoint besides itself. */
export function removeCopies(service: TestService, instanceId: string): void {
  const root = stateDir(service);
  rmSync(join(root, `stacks/swiftcache/${instanceId}.json.bak`), { force: true });
  for (const folder of ['backups', 'history']) {
    rmSync(join(root, folder, 'swiftcache', instanceId), { recursive: true, force: true });
  }
}

/** The files of state and configuration that name an instance. */
export function filesNaming({ dataDir }: TestService, instanceId: string): string[] {
  return ['pulumi', 'project'].flatMap((folder) =>
    readdirSync(join(dataDir, folder), { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.includes(instanceId),
    ),
  );
}

/** Files as an interrupted run of long ago leaves them. */
export function leaveOldFiles(service: TestService, id: string): void {
  const names = [
    join(service.dataDir, `project/stacks/Pulumi.${id}.yaml`),
    join(stateDir(service), `stacks/swiftcache/${id}.json.bak`),
    join(stateDir(service), `backups/swiftcache/${id}/${id}.1.json`),
  ];
  for (const path of names) {
    mkdirSync(dirname(path), { recursive: true });
    if (!existsSync(path)) writeFileSync(path, '{}');
    utimesSync(path, 1, 1);
    utimesSync(dirname(path), 1, 1);
  }
}

/** The process that holds the one lock in the folder; undefined before there is one. */
export function readLock(folder: string): number | undefined {
  try {
    const [file] = readdirSync(folder).filter((name) => name.endsWith('.json'));
    return file && JSON.parse(readFileSync(join(folder, file), 'utf8')).pid;
  } catch {
    return undefined;
  }
}

/** How many stacks of the service are locked right now. */
export function countRuns(service: TestService): number {
  const locks = join(stateDir(service), 'locks/organization/swiftcache');
  if (!existsSync(locks)) return 0;
  return readdirSync(locks).filter((stack) => readLock(join(locks, stack)) !== undefined).length;
}
