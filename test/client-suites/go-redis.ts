/**
 * go-redis, unmodified, by a program of ours (`go-redis/`): its own tests want a cluster, sentinels and a Redis
 * without a password on fixed ports. It needs Go 1.21 or newer, and a Go module proxy at the first run; what
 * is fetched and built goes to `.setup/go-redis-suite`.
 */
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { rootDir } from '../../src/config.ts';
import { compareOutcomes, type Outcome, type Outcomes } from './outcomes.ts';
import type { Sides } from './sides.ts';

const run = promisify(execFile);
const ownDir = join(import.meta.dirname, 'go-redis');
const folder = join(rootDir, '.setup/go-redis-suite');
const program = join(folder, 'steps');
const buildTimeoutMs = 10 * 60_000;
const runTimeoutMs = 5 * 60_000;

/** Runs the program at the door, with TLS and without. Gives what differs. @throws where Go is not to be had. */
export async function runGoRedis(sides: Sides, say: (text: string) => void): Promise<string[]> {
  say('building the program');
  await build();
  const direct = await runSteps({ REDIS_URL: sides.direct });
  const secure = { REDIS_URL: sides.secureDoor, REDIS_CA_FILE: sides.caFile };
  const differences: string[] = [];
  for (const [scheme, environment] of [
    ['redis', { REDIS_URL: sides.door }],
    ['rediss', secure],
  ] as const) {
    const door = await runSteps(environment);
    const found = compareOutcomes({ door, direct }, []);
    const refused = [...door.values()].filter(({ outcome }) => outcome === 'failed').length;
    say(`${scheme}://, ${door.size} steps, ${refused} of them refused; ${found.length} differ`);
    differences.push(...found.map(({ text }) => `${scheme}://: ${text}`));
  }
  return differences;
}

async function build(): Promise<void> {
  const temporary = join(folder, 'tmp');
  mkdirSync(temporary, { recursive: true });
  const env = {
    ...process.env,
    CGO_ENABLED: '0',
    GOFLAGS: '-mod=readonly -modcacherw -buildvcs=false',
    GOPATH: folder,
    GOCACHE: join(folder, 'build'),
    GOWORK: 'off',
    GOTMPDIR: temporary,
  };
  const options = { cwd: ownDir, env, timeout: buildTimeoutMs };
  await run('go', ['build', '-trimpath', '-o', program, '.'], options).catch((cause) => {
    const remedy = 'it needs Go 1.21 or newer, and a Go module proxy (GOPROXY)';
    throw new Error(`go-redis's program cannot be built: ${remedy}`, { cause });
  });
}

/** What each step says, by its name. @throws with what was said where the program fails. */
async function runSteps(environment: Record<string, string>): Promise<Outcomes> {
  const { stdout } = await run(program, [], {
    env: { ...process.env, ...environment },
    timeout: runTimeoutMs,
  });
  const outcomes = new Map<string, Outcome>();
  for (const line of stdout.trim().split('\n')) {
    const [, step = line, reason = ''] = /^(RESP\d, [^:]+): (.*)$/.exec(line) ?? [];
    outcomes.set(step, { outcome: reason.startsWith('error') ? 'failed' : 'passed', reason });
  }
  return outcomes;
}
