/** The programs that a benchmark takes from the system. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Each with the Debian package that has it. */
const packages = {
  haproxy: 'haproxy',
  'redis-benchmark': 'redis-tools',
  webdis: 'webdis',
  wrk: 'wrk',
} as const;

/** @throws with what to install, where one of these programs is missing. */
export async function requireTools(names: readonly (keyof typeof packages)[]): Promise<void> {
  const wanted = names.map((name) => packages[name]).join(' ');
  for (const name of names) {
    await run('sh', ['-c', `command -v ${name}`]).catch(() => {
      throw new Error(`${name} is not installed: apt-get install ${wanted} (Debian, Ubuntu)`);
    });
  }
}
