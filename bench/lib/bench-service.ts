/** The service in a process of its own, over a database that was filled before. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { removeInstallationObjects } from '../../scripts/installation-objects.ts';
import { loadConfig, rootDir } from '../../src/config.ts';

const startTimeoutMs = 60_000;

export interface BenchService {
  readonly url: string;
  /** Ends it, removes what it made in Docker, and its data directory. */
  remove(): Promise<void>;
}

/** Starts the service as `npm start` does, with ports of the system's choice. */
export async function startBenchService(
  dataDir: string,
  databaseUrl: string | undefined,
): Promise<BenchService> {
  const environment = {
    ...process.env,
    SWIFTCACHE_DATA_DIR: dataDir,
    SWIFTCACHE_PORT: '0',
    SWIFTCACHE_REDIS_PORT: '0',
    // Room on paper for every row: nearly all of them are stopped and use none.
    SWIFTCACHE_HOST_MEMORY_MIB: '1000000',
    SWIFTCACHE_LOG_LEVEL: 'error',
    ...(databaseUrl && { SWIFTCACHE_DATABASE_URL: databaseUrl }),
  };
  const child = spawn(process.execPath, ['src/main.ts'], {
    cwd: rootDir,
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const remove = async (): Promise<void> => {
    await end(child);
    await removeInstallationObjects(loadConfig(environment));
    rmSync(dataDir, { recursive: true, force: true });
  };
  try {
    return { url: await readUrl(child), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function readUrl(child: ChildProcess): Promise<string> {
  let said = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const deadlineMs = performance.now() + startTimeoutMs;
  while (performance.now() < deadlineMs && child.exitCode === null) {
    const url = /Base URL +(\S+)\/api\/v1/.exec(said)?.[1];
    if (url) return url;
    await sleep(20);
  }
  throw new Error('the service did not start');
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}
