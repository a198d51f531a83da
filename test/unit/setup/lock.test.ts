import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { acquireLock, readStartTime } from '../../../setup/lib/lock.js';

const lockModule = new URL('../../../setup/lib/lock.js', import.meta.url).href;

/** A process of its own that takes the lock, says so, and holds it for a while or for ever. */
function startHolder(file: string, holdMs: number) {
  const script = `
    import { acquireLock } from ${JSON.stringify(lockModule)};
    const release = await acquireLock(${JSON.stringify(file)});
    process.stdout.write('held ' + process.hrtime.bigint() + '\\n');
    setTimeout(() => {
      process.stdout.write('freed ' + process.hrtime.bigint() + '\\n');
      release();
    }, ${holdMs});`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (text: string) => {
    output += text;
  });
  return { child, readOutput: () => output };
}

function temporaryLock(t: { teardown(action: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'swiftcache-lock-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'deep', 'lock');
}

test('the lock names its owner while it is held and is gone when it is given back', async (t) => {
  const file = temporaryLock(t);
  const release = await acquireLock(file);
  const owner = JSON.parse(readFileSync(file, 'utf8'));
  t.deepEqual(owner, { pid: process.pid, startedAt: readStartTime(process.pid) });
  release();
  t.false(existsSync(file));
  t.notThrows(release);
  t.deepEqual(readdirSync(join(file, '..')), []);
});

test('of several processes that start together one at a time holds the lock', async (t) => {
  const file = temporaryLock(t);
  const holders = Array.from({ length: 5 }, () => startHolder(file, 50));
  await Promise.all(holders.map(({ child }) => once(child, 'close')));

  const spans = holders.map(({ readOutput }) => {
    const [held, freed] = [...readOutput().matchAll(/\d+/g)].map(([digits]) => BigInt(digits));
    return { held: held ?? 0n, freed: freed ?? 0n };
  });
  spans.sort((a, b) => (a.held < b.held ? -1 : 1));
  for (const [index, span] of spans.entries()) {
    t.true(span.held > 0n && span.freed > span.held);
    t.true(span.held > (spans[index - 1]?.freed ?? 0n), 'two held it at the same time');
  }
});

test('whoever waits is told for which process, once', async (t) => {
  const file = temporaryLock(t);
  const holder = startHolder(file, 600);
  await once(holder.child.stdout, 'data');
  const seen: number[] = [];
  const release = await acquireLock(file, { onWait: (pid: number) => seen.push(pid) });
  t.deepEqual(seen, [holder.child.pid]);
  release();
});

test('the lock of a process that was killed is taken over', async (t) => {
  const file = temporaryLock(t);
  const holder = startHolder(file, 60_000);
  await once(holder.child.stdout, 'data');
  holder.child.kill('SIGKILL');
  await once(holder.child, 'close');
  t.true(existsSync(file));
  const release = await acquireLock(file);
  t.is(JSON.parse(readFileSync(file, 'utf8')).pid, process.pid);
  release();
});

test('a process that got a dead owner’s number by chance is not taken for the owner', async (t) => {
  const file = temporaryLock(t);
  (await acquireLock(file))();
  writeFileSync(file, JSON.stringify({ pid: process.ppid, startedAt: 'another time' }));
  const release = await acquireLock(file, { onWait: () => t.fail('it waits for a stranger') });
  t.is(JSON.parse(readFileSync(file, 'utf8')).pid, process.pid);
  release();
});

test('a lock file that a power cut left empty is taken over', async (t) => {
  const file = temporaryLock(t);
  (await acquireLock(file))();
  writeFileSync(file, '');
  const release = await acquireLock(file);
  t.true(existsSync(file));
  release();
});
