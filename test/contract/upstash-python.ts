/** Upstash's clients for Python, in a folder of their own. */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { rootDir } from '../../src/config.ts';

const run = promisify(execFile);
const installTimeoutMs = 120_000;
const runTimeoutMs = 120_000;
const packages = join(rootDir, '.setup/python-upstash');
const requirements = ['upstash-redis==1.8.0', 'upstash-ratelimit==1.2.0'];

/** Puts them there; false where this machine has no Python with pip, or PyPI is not reached. */
export function pythonClients(): boolean {
  if (existsSync(packages)) return true;
  mkdirSync(join(rootDir, '.setup'), { recursive: true });
  const folder = mkdtempSync(`${packages}-`);
  try {
    const install = ['-m', 'pip', 'install', '-q', '--target', folder, ...requirements];
    execFileSync('python3', install, { timeout: installTimeoutMs, stdio: 'pipe' });
    renameSync(folder, packages);
    return true;
  } catch {
    rmSync(folder, { recursive: true, force: true });
    return existsSync(packages);
  }
}

/** Runs the calls; gives what was printed. @throws with the traceback of what was not as it should be. */
export async function runPythonCalls(url: string, token: string): Promise<string> {
  const file = join(import.meta.dirname, 'upstash-calls.py');
  const env = {
    ...process.env,
    PYTHONPATH: packages,
    PYTHONDONTWRITEBYTECODE: '1',
    UPSTASH_REDIS_REST_URL: url,
    UPSTASH_REDIS_REST_TOKEN: token,
  };
  const { stdout } = await run('python3', [file], { env, timeout: runTimeoutMs });
  return stdout;
}
