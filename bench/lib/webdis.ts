/** Webdis, the HTTP gateway for Redis that is written in C, as Debian packs and configures it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pollUntil } from '../../src/lib/retry.ts';
import { type BenchRedis, findFreePort } from './bench-redis.ts';

const startTimeoutMs = 20_000;
/** Debian's setting. */
const threads = 2;

export interface Webdis {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Starts it before a Redis, on a port of its own. @throws where it is not installed or does not answer. */
export async function startWebdis(redis: BenchRedis): Promise<Webdis> {
  const dir = mkdtempSync(join(tmpdir(), 'swiftcache-webdis-'));
  const port = await findFreePort();
  const file = join(dir, 'webdis.json');
  const settings = {
    redis_host: '127.0.0.1',
    redis_port: redis.port,
    // It signs in as the user "default": its Debian version knows no others.
    redis_auth: redis.password,
    http_host: '127.0.0.1',
    http_port: port,
    http_max_request_size: 10 * 1024 * 1024,
    threads,
    daemonize: false,
    database: 0,
    acl: [],
    verbosity: 0,
    logfile: join(dir, 'webdis.log'),
  };
  writeFileSync(file, JSON.stringify(settings), { mode: 0o600 });
  const child = spawn('webdis', [file], { stdio: 'ignore' });
  // Where it is missing, the poll below finds nobody and the caller has already been told how to get it.
  child.on('error', () => {});
  const stop = async (): Promise<void> => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    }
    rmSync(dir, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}`;
  const ping = async (): Promise<true | undefined> => {
    return (await (await fetch(`${url}/PING`)).text()).includes('PONG') || undefined;
  };
  try {
    await pollUntil(ping, { timeoutMs: startTimeoutMs, intervalMs: 50 });
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, pid: child.pid ?? 0, stop };
}
