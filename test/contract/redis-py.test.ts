import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import test from 'ava';
import { rootDir } from '../../src/config.ts';
import { createRunningInstance, startTestService } from '../support/service.ts';

const packages = join(rootDir, '.setup/python');
const environment = { ...process.env, PYTHONPATH: packages };

/** Runs a Python script with redis-py at hand. @throws when it fails. */
function runPython(script: string): string {
  return execFileSync('python3', ['-c', script], {
    env: environment,
    encoding: 'utf8',
    stdio: 'pipe',
  });
}

/** Puts redis-py from PyPI into a folder of its own; false where this machine has no Python with pip. */
function provideRedisPy(): boolean {
  const install = ['-m', 'pip', 'install', '-q', '--target', packages, 'redis==6.4.0'];
  for (const attempt of [
    () => {},
    () => execFileSync('python3', install, { timeout: 120_000, stdio: 'pipe' }),
  ]) {
    try {
      attempt();
      runPython('import redis');
      return true;
    } catch {
      // Not there yet, or not to be had here.
    }
  }
  return false;
}

const testWithPython = provideRedisPy() ? test : test.skip;

testWithPython('redis-py connects, reads and writes, and is told when it has no key', async (t) => {
  const service = await startTestService(t);
  const { host, port, key } = await createRunningInstance(service);
  const output = runPython(`
import redis
r = redis.Redis(host='${host}', port=${port}, password='${key}', decode_responses=True,
                socket_connect_timeout=5, socket_keepalive=True)
assert r.ping()
r.set('key', 'value')
assert r.get('key') == 'value'
u = redis.from_url('redis://:${key}@${host}:${port}')
assert u.get('key') == b'value'
for client in [redis.Redis(host='${host}', port=${port}),
               redis.Redis(host='${host}', port=${port}, password='sc_live_' + '0' * 32)]:
    try:
        client.ping()
        raise SystemExit('a connection without its key was let in')
    except redis.AuthenticationError as error:
        print(error)
`);
  t.regex(output, /Authentication required/);
  t.regex(output, /invalid username-password pair/);
});
