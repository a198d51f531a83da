import { spawn } from 'node:child_process';
import { once } from 'node:events';
import test from 'ava';
import { rootDir } from '../../src/config.ts';

const timeoutMs = 15 * 60_000;

test.serial(
  'whatever is broken, everything ends within a minute, nothing leaks and no secret shows: the short form',
  async (t) => {
    t.timeout(timeoutMs);
    const child = spawn(process.execPath, ['test/chaos/main.ts', '--short'], {
      cwd: rootDir,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    t.teardown(() => void child.kill('SIGTERM'));
    const [code] = await once(child, 'exit');
    const wrong = [...output.matchAll(/^WRONG: .*$/gm)].map(([line]) => line);
    t.log(output.slice(output.indexOf('\n| Fault')));
    t.deepEqual(wrong, [], output.slice(-6_000));
    t.is(code, 0, output.slice(-6_000));
  },
);
