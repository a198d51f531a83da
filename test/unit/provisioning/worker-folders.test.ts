import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createLeftoverSweep } from '../../../src/provisioning/leftovers.ts';
import {
  endWorkerFolder,
  listOrphanedFolders,
  listProcessesIn,
  makeWorkerFolder,
} from '../../../src/provisioning/worker-folders.ts';
import { temporaryFolder } from '../../support/folders.ts';

/** A process that leads a group of its own, as a provider that the CLI started. */
function startIn(t: ExecutionContext, folder: string) {
  const child = spawn('sleep', ['60'], {
    detached: true,
    stdio: 'ignore',
    env: { PATH: process.env.PATH, TMPDIR: folder },
  });
  t.teardown(() => child.kill('SIGKILL'));
  return child;
}

/** A folder as a service of this host would have made that is no more. */
function orphanedFolder(dataDir: string): string {
  const folder = join(dataDir, 'tmp', `${hostname()}~1~1~abcdef`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'state.json'), 'a secret');
  return folder;
}

test("a worker's folder is its owner's alone, and no orphan while its service lives", (t) => {
  const dataDir = temporaryFolder(t);
  const folder = makeWorkerFolder(dataDir);
  t.is(statSync(folder).mode & 0o777, 0o700);
  t.deepEqual(listOrphanedFolders(dataDir), []);
  t.deepEqual(listOrphanedFolders(join(dataDir, 'nowhere')), []);
});

test('with a folder end the processes that were started in it, whatever group they lead, and no others', async (t) => {
  const dataDir = temporaryFolder(t);
  const [folder, other] = [makeWorkerFolder(dataDir), makeWorkerFolder(dataDir)];
  const [inside, outside] = [startIn(t, folder), startIn(t, other)];
  await Promise.all([once(inside, 'spawn'), once(outside, 'spawn')]);
  t.deepEqual(listProcessesIn(folder), [inside.pid]);
  const exited = once(inside, 'exit');
  endWorkerFolder(folder);
  t.deepEqual(await exited, [null, 'SIGKILL']);
  t.false(existsSync(folder));
  t.deepEqual(listProcessesIn(other), [outside.pid]);
});

test('the folder of a dead service goes at once when nothing runs in it, and is left to an orphan at work', async (t) => {
  const dataDir = temporaryFolder(t);
  const folder = orphanedFolder(dataDir);
  const settings = { stacksDir: dataDir, backendUrl: `file://${dataDir}` };
  const sweep = createLeftoverSweep({ config: { dataDir }, settings });
  const orphan = startIn(t, folder);
  await once(orphan, 'spawn');
  sweep();
  t.true(existsSync(folder));
  t.is(orphan.exitCode ?? orphan.signalCode, null);
  const exited = once(orphan, 'exit');
  orphan.kill('SIGTERM');
  await exited;
  sweep();
  t.false(existsSync(folder));
});
