/** HAProxy in TCP mode before a Redis: the peer that forwards and does nothing else. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pollUntil } from '../../src/lib/retry.ts';
import { findFreePort } from './bench-redis.ts';

const startTimeoutMs = 20_000;

export interface Haproxy {
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

/**
 * Starts it on a port of its own, with so many threads; 0 leaves that to HAProxy, which takes one a core.
 * @throws where it is not installed or does not answer.
 */
export async function startHaproxy(redisPort: number, threads: number): Promise<Haproxy> {
  const dir = mkdtempSync(join(tmpdir(), 'swiftcache-haproxy-'));
  const port = await findFreePort();
  const file = join(dir, 'haproxy.cfg');
  const settings = [
    'global',
    '  maxconn 4096',
    ...(threads > 0 ? [`  nbthread ${threads}`] : []),
    'defaults',
    '  mode tcp',
    '  timeout connect 5s',
    '  timeout client 1h',
    '  timeout server 1h',
    'listen redis',
    `  bind 127.0.0.1:${port}`,
    `  server redis 127.0.0.1:${redisPort}`,
  ];
  writeFileSync(file, `${settings.join('\n')}\n`, { mode: 0o600 });
  const child = spawn('haproxy', ['-db', '-q', '-f', file], { stdio: 'ignore' });
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
  try {
    await pollUntil(() => canConnect(port), { timeoutMs: startTimeoutMs, intervalMs: 50 });
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, pid: child.pid ?? 0, stop };
}

async function canConnect(port: number): Promise<true | undefined> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } finally {
    socket.destroy();
  }
}
