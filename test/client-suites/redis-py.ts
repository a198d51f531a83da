/**
 * redis-py's own tests, as they come with its source. They need Python 3.11.3 or newer with pip, and PyPI at
 * the first run; the packages, held by their hashes, go to `.setup/python-redis-suite`.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { rootDir } from '../../src/config.ts';
import { compareOutcomes, type Listed, type Outcome, type Outcomes } from './outcomes.ts';
import type { Sides } from './sides.ts';

const run = promisify(execFile);
const ownDir = join(import.meta.dirname, 'redis-py');
const folder = join(rootDir, '.setup/python-redis-suite');
const source = join(folder, 'redis-6.4.0');
const installTimeoutMs = 5 * 60_000;
const runTimeoutMs = 20 * 60_000;
const outputBytesMax = 256 * 1024 * 1024;
/** A difference counts once it was seen so often, one test file at a time: some tests look at the clock. */
const tries = 3;

/** All that speak to one Redis and want nothing beside it: no cluster, sentinel, module, certificate or fixed port. */
const files = [
  ...[
    'commands',
    'pipeline',
    'pubsub',
    'scripting',
    'function',
    'hash',
    'lock',
    'encoding',
    'monitor',
  ],
  ...['connection', 'connection_pool', 'connect', 'cache', 'retry', 'multiprocessing'],
].map((name) => `tests/test_${name}.py`);
const asyncFiles = [
  ...['commands', 'pipeline', 'pubsub', 'scripting', 'hash', 'lock', 'encoding', 'monitor'],
  ...['connection', 'connection_pool', 'connect', 'retry'],
].map((name) => `tests/test_asyncio/test_${name}.py`);

/**
 * These connect without the password, and then only look at the pool. Redis 7.0 tells such a stranger that it
 * knows no CLIENT SETINFO, which redis-py passes over; the door, that it has to sign in, as Redis does from 7.2
 * on, which knows that command.
 */
const withoutPassword = 'NOAUTH comes before "unknown command"';
const listed: readonly Listed[] = [
  { test: /::TestPubSubDeadlock::test_pubsub_deadlock$/, why: withoutPassword },
  {
    test: /_pool\.py::TestConnectionPool::test_(multiple_connections|reuse_previously_released_connection|release_not_owned_connection)$/,
    why: withoutPassword,
  },
  {
    test: /test_release_parent_connection_from_pool_in_child_process\[/,
    why: withoutPassword,
  },
];

/** Runs the suite in both protocols. Gives what differs. @throws where Python or its packages are not to be had. */
export async function runRedisPy(sides: Sides, say: (text: string) => void): Promise<string[]> {
  await providePackages(say);
  const differences: string[] = [];
  for (const protocol of ['2', '3']) {
    const startedMs = performance.now();
    const runBoth = (tests: readonly string[]): Promise<[Outcomes, Outcomes]> =>
      Promise.all([runTests(sides.door, protocol, tests), runTests(sides.direct, protocol, tests)]);
    let [door, direct] = await runBoth([...files, ...asyncFiles]);
    const counts = `${direct.size} tests: ${count(door)} through the door, ${count(direct)} directly`;
    let found = compareOutcomes({ door, direct }, listed);
    for (let again = 1; again < tries && found.length > 0; again += 1) {
      [door, direct] = await runBoth(found.map(({ test }) => test));
      const still = compareOutcomes({ door, direct }, listed);
      found = found.filter(({ test }) => still.some((other) => other.test === test));
    }
    const seconds = Math.round((performance.now() - startedMs) / 1_000);
    say(`RESP${protocol} in ${seconds} s, ${counts}; ${found.length} differ`);
    differences.push(...found.map(({ text }) => `RESP${protocol}: ${text}`));
  }
  return differences;
}

/** Puts pytest and redis-py's source there, all at once. */
async function providePackages(say: (text: string) => void): Promise<void> {
  if (existsSync(folder)) return;
  say('fetching it, and pytest');
  mkdirSync(join(rootDir, '.setup'), { recursive: true });
  const draft = mkdtempSync(`${folder}-`);
  const python = (...args: string[]): Promise<unknown> =>
    run('python3', ['-m', ...args], { timeout: installTimeoutMs });
  const pinned = (name: string): string[] => [
    '--no-deps',
    '--require-hashes',
    '-r',
    join(ownDir, name),
  ];
  try {
    await python(
      'pip',
      'install',
      '-q',
      '--target',
      join(draft, 'packages'),
      ...pinned('requirements.txt'),
    );
    const download = ['pip', 'download', '-q', '--no-binary', 'redis', '--dest', draft];
    await python(...download, ...pinned('source.txt'));
    await python('tarfile', '-e', join(draft, 'redis-6.4.0.tar.gz'), draft);
    renameSync(draft, folder);
  } catch (cause) {
    rmSync(draft, { recursive: true, force: true });
    const remedy = 'it needs Python 3.11.3 or newer with pip, and PyPI';
    throw new Error(`redis-py's tests cannot be prepared: ${remedy}`, { cause });
  }
}

/** Runs these files or tests of the suite against an address. @throws where pytest itself fails. */
async function runTests(
  url: string,
  protocol: string,
  tests: readonly string[],
): Promise<Outcomes> {
  const ownFolder = mkdtempSync(join(folder, 'run-'));
  const file = join(ownFolder, 'outcomes');
  const known = [source, join(folder, 'packages'), ownDir].join(':');
  const options = ['-q', '-p', 'no:cacheprovider', '-p', 'outcomes', '--tb=line', '--timeout=60'];
  const target = [`--redis-url=${url}`, `--protocol=${protocol}`];
  try {
    await run('python3', ['-m', 'pytest', ...options, ...target, ...tests], {
      cwd: source,
      env: { ...process.env, PYTHONPATH: known, PYTHONDONTWRITEBYTECODE: '1', OUTCOMES: file },
      timeout: runTimeoutMs,
      maxBuffer: outputBytesMax,
    }).catch((error) => {
      // 1: some tests failed.
      if (error.code !== 1) throw new Error(`pytest: ${error.stdout?.slice(-2_000) ?? error}`);
    });
    return readOutcomes(file);
  } finally {
    rmSync(ownFolder, { recursive: true, force: true });
  }
}

/** A test that fails in its end, too, has more than one line: the first that is not good counts. */
function readOutcomes(file: string): Outcomes {
  const outcomes = new Map<string, Outcome>();
  for (const line of readFileSync(file, 'utf8').trim().split('\n')) {
    const { test, outcome, reason } = JSON.parse(line) as Outcome & { test: string };
    const known = outcomes.get(test);
    if (known === undefined || known.outcome === 'passed') {
      outcomes.set(test, { outcome, reason: maskNumbers(reason) });
    }
  }
  return outcomes;
}

/** Of a reason the first line, without what is another each time: numbers, and addresses of all kinds. */
function maskNumbers(reason: string): string {
  return (reason.split('\n')[0] ?? '').replace(/0x[0-9a-f]+|\d+/g, '#');
}

function count(outcomes: Outcomes): string {
  const of = (kind: string): number =>
    [...outcomes.values()].filter(({ outcome }) => outcome === kind).length;
  return `${of('passed')} passed, ${of('failed')} failed, ${of('skipped')} skipped`;
}
