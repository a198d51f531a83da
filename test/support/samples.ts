/**
 * Runs samples as a reader of the product's documents would: pasted into a shell, Node or Python, with
 * nothing changed but host names, keys and ids.
 *
 * The samples are ours, in the tests beside their checks: each makes the calls of one sample of the
 * documents, with its options, headers, fields and paths.
 */
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import { rootDir } from '../../src/config.ts';
import { startTestService, type TestService } from './service.ts';

const runTimeoutMs = 30_000;
const installTimeoutMs = 120_000;
const redisPort = 6379;
/** The host names of the documents. */
const apiUrl = 'https://api.swiftcache.io';
const redisHost = 'abc123.redis.swiftcache.io';

export const accountKeyPlaceholder = 'sk_live_your_account_key';
export const organizationPlaceholder = 'org_abc123';
export const dataKeyPattern = /^sc_live_[0-9a-f]{32}$/;

/** One service for all tests of a file; it starts before the first and ends after the last. */
export function serviceOfFile(
  overrides: () => Record<string, string> | Promise<Record<string, string>> = () => ({}),
): () => TestService {
  let service: TestService | undefined;
  let hasFailed = false;
  const ends: (() => unknown)[] = [];
  test.serial.before(async (t) => {
    const file = {
      // Its output is worth showing only beside the test that failed: see below.
      passed: true,
      log: t.log,
      teardown: (end: () => unknown) => ends.push(end),
    };
    service = await startTestService(file as unknown as ExecutionContext, await overrides());
  });
  test.afterEach.always((t) => {
    if (!t.passed && !hasFailed) t.log(service?.output().slice(-6_000) ?? '');
    hasFailed ||= !t.passed;
  });
  test.after.always(async () => {
    for (const end of ends.reverse()) await end();
  });
  return () => {
    if (!service) throw new Error('the service of this file did not start');
    return service;
  };
}

/**
 * The settings of a service whose redis:// door is where the documents have it, or somewhere else where
 * that port is taken; then `adapt` changes the port too.
 */
export async function doorAsDocumented(): Promise<Record<string, string>> {
  return (await isFree(redisPort)) ? { SWIFTCACHE_REDIS_PORT: String(redisPort) } : {};
}

export function isDocumentedPort(port: number): boolean {
  return port === redisPort;
}

/**
 * A sample with this service's host names in it, and what else stands in for a placeholder.
 * @throws when a placeholder is not in the sample.
 */
export function adapt(
  sample: string,
  { url, door }: { url?: string; door?: { host: string; port: number } },
  placeholders: Record<string, string> = {},
): string {
  const replacements: Record<string, string> = {
    ...placeholders,
    ...(url && { [apiUrl]: url }),
    ...(door && { [redisHost]: door.host, [redisPort]: String(door.port) }),
  };
  const missing = Object.keys(replacements).find((placeholder) => !sample.includes(placeholder));
  if (missing) throw new Error(`the sample has no ${missing}`);
  // All in one pass: a key that was put in may hold the digits of a port.
  const literals = Object.keys(replacements).map((text) => text.replace(/[.[\]]/g, '\\$&'));
  const any = new RegExp(literals.join('|'), 'g');
  return sample.replace(any, (placeholder) => replacements[placeholder] ?? placeholder);
}

export interface ShellAnswer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: an answer of the API, as it came.
  readonly body: any;
}

/** Runs one curl command of a shell, and gives the answer: curl's own settings file asks for the status. */
export async function runCurl(command: string): Promise<ShellAnswer> {
  const home = mkdtempSync(join(tmpdir(), 'swiftcache-curl-'));
  const settings = ['silent', 'show-error', 'write-out = "\\n%{http_code}"'];
  try {
    writeFileSync(join(home, '.curlrc'), `${settings.join('\n')}\n`);
    const output = await run('sh', ['-c', command], { environment: { CURL_HOME: home } });
    const end = output.lastIndexOf('\n');
    return { status: Number(output.slice(end)), body: JSON.parse(output.slice(0, end)) };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** Runs TypeScript as Node takes it, as a module in the repository. Gives what it printed. */
export async function runTypeScript(
  source: string,
  environment: Record<string, string> = {},
): Promise<string> {
  const flags = ['--input-type=module-typescript', '--no-warnings'];
  return await run(process.execPath, flags, { environment, input: source });
}

/** The same for a script that has `require`: as in a function of such a file, `await` may be used. */
export async function runCommonJs(
  source: string,
  environment: Record<string, string> = {},
): Promise<string> {
  const input = `(async () => {\n${source}\n})();`;
  return await run(process.execPath, ['--input-type=commonjs'], { environment, input });
}

/** Runs Python with the packages of the samples at hand. Gives what it printed. */
export async function runPython(
  source: string,
  environment: Record<string, string> = {},
): Promise<string> {
  const known = { PYTHONPATH: pythonPackages, PYTHONDONTWRITEBYTECODE: '1', ...environment };
  return await run('python3', ['-'], { environment: known, input: source });
}

const pythonPackages = join(rootDir, '.setup/python-samples');
const requirements = ['redis==6.4.0', 'requests==2.32.5'];

/** Python's test function: it skips where this machine has no Python with pip, or PyPI is not reached. */
export function pythonTest(): typeof test.serial | typeof test.serial.skip {
  return providePackages() ? test.serial : test.serial.skip;
}

/** Puts the samples' Python packages into a folder of their own, all at once. */
function providePackages(): boolean {
  if (existsSync(pythonPackages)) return true;
  mkdirSync(join(rootDir, '.setup'), { recursive: true });
  const folder = mkdtempSync(`${pythonPackages}-`);
  try {
    const install = ['-m', 'pip', 'install', '-q', '--target', folder, ...requirements];
    execFileSync('python3', install, { timeout: installTimeoutMs, stdio: 'pipe' });
    renameSync(folder, pythonPackages);
    return true;
  } catch {
    // None to be had, or another test file was faster.
    rmSync(folder, { recursive: true, force: true });
    return existsSync(pythonPackages);
  }
}

interface RunOptions {
  readonly environment: Record<string, string>;
  readonly input?: string;
}

/** Runs a program to its end. @throws with all it said when it fails or takes too long. */
async function run(
  program: string,
  flags: readonly string[],
  { environment, input = '' }: RunOptions,
): Promise<string> {
  const child: ChildProcessWithoutNullStreams = spawn(program, flags, {
    cwd: rootDir,
    env: { ...process.env, ...environment },
    timeout: runTimeoutMs,
  });
  // Who ends before all is read, or reads nothing, is judged by how it ends.
  child.stdin.on('error', () => {}).end(input);
  const [output, errors, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  if (code !== 0) throw new Error(`${program} ended with ${code}:\n${output}${errors}`);
  return output;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
