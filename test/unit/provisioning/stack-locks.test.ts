import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import {
  isAlive,
  isLocked,
  lockOwners,
  removeDeadLocks,
} from '../../../src/provisioning/stack-locks.ts';
import { temporaryFolder } from '../../support/folders.ts';

const stack = 'inst_aaaaaaaaaaaaaaaa';

test('a lock of another host is never called dead', (t) => {
  t.true(isAlive({ pid: 1, hostname: `not-${hostname()}` }));
});

test("a lock is alive only while its process is Pulumi's CLI, not what only has its name in it", async (t) => {
  const folder = temporaryFolder(t);
  const run = async (name: string): Promise<number> => {
    symlinkSync('/bin/sleep', join(folder, name));
    const child = spawn(join(folder, name), ['60'], { stdio: 'ignore' });
    t.teardown(() => child.kill('SIGKILL'));
    await once(child, 'spawn');
    return child.pid ?? 0;
  };
  t.true(isAlive({ pid: await run('pulumi'), hostname: hostname() }));
  t.false(isAlive({ pid: await run('pulumi-resource-docker'), hostname: hostname() }));
  t.false(isAlive({ pid: process.pid, hostname: hostname() }));
});

test('a lock that was cut short has a dead owner, and is seen', (t) => {
  const root = temporaryFolder(t);
  const folder = join(root, '.pulumi/locks/organization/swiftcache', stack);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'a.json'), '{"pid": 1');
  writeFileSync(join(folder, 'b.json.18ea256b99a5aadd.tmp'), '');
  t.is(lockOwners(`file://${root}`, stack).length, 2);
  t.false(isLocked(`file://${root}`, stack));
});

test("the dead's locks are removed, and no other's", (t) => {
  const root = temporaryFolder(t);
  const folder = join(root, '.pulumi/locks/organization/swiftcache', stack);
  mkdirSync(folder, { recursive: true });
  const write = (name: string, content: unknown) =>
    writeFileSync(join(folder, name), JSON.stringify(content));
  write('dead.json', { pid: process.pid, hostname: hostname() });
  write('dead.json.attrs', {});
  write('elsewhere.json', { pid: 1, hostname: `not-${hostname()}` });
  write('elsewhere.json.attrs', {});
  writeFileSync(join(folder, 'unfinished.json.18ea256b99a5aadd.tmp'), '');
  removeDeadLocks(`file://${root}`, stack);
  t.deepEqual(readdirSync(folder).sort(), ['elsewhere.json', 'elsewhere.json.attrs']);
  removeDeadLocks('postgres://elsewhere/state', stack);
});
