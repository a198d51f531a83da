import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { hostname } from 'node:os';
import test from 'ava';
import { isGoneFromHere, processIdentity } from '../../../src/provisioning/process-identity.ts';

const module = new URL('../../../src/provisioning/process-identity.ts', import.meta.url).href;

test('a process that runs is not gone', (t) => {
  t.is(processIdentity(), processIdentity());
  t.false(isGoneFromHere(processIdentity()));
});

test('another process is known while it runs, and gone once it has ended', async (t) => {
  const script = `
    import { processIdentity } from ${JSON.stringify(module)};
    process.stdout.write(processIdentity() + '\\n');
    process.stdin.resume();`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.teardown(() => {
    child.kill('SIGKILL');
  });
  const exited = once(child, 'exit');
  const [line] = await once(child.stdout.setEncoding('utf8'), 'data');
  const identity = String(line).trim();
  t.regex(identity, new RegExp(`:${child.pid}:\\d+$`));
  t.false(isGoneFromHere(identity));
  child.kill('SIGKILL');
  await exited;
  t.true(isGoneFromHere(identity));
});

test('a later process with the same id does not pass for the one that is gone', (t) => {
  const [host, pid, start] = processIdentity().split(':');
  t.true(isGoneFromHere(`${host}:${pid}:${Number(start) - 1}`));
});

test('of a process of another host nothing is known, so it is not gone', (t) => {
  t.false(isGoneFromHere(`not-${hostname()}:${process.pid}:1`));
  t.false(isGoneFromHere('elsewhere:999999999:1'));
});

test('a name of no known form is not called gone', (t) => {
  for (const name of ['', hostname(), `${hostname()}:`]) t.false(isGoneFromHere(name), name);
});
