/**
 * A Redis for measuring what stands before it: in a container of the image that instances run, on the
 * host's network, so that neither Docker's proxy nor its address translation is part of the figures.
 */
import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { loadConfig } from '../../src/config.ts';
import { randomHex } from '../../src/lib/crypto.ts';
import { pollUntil } from '../../src/lib/retry.ts';

const run = promisify(execFile);
const startTimeoutMs = 60_000;
/** More than the door takes. */
const clientsMax = 15_000;
const outputBytesMax = 100 * 1024 * 1024;

export interface BenchRedis {
  readonly port: number;
  /** Of redis-server itself, for its processor time. */
  readonly pid: number;
  /** Of Redis's `default` user, who may do anything. */
  readonly password: string;
  readonly admin: Redis;
  /** Runs redis-cli in the container, as the `default` user; what it prints is thrown away. */
  runCli(args: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a Redis that keeps nothing on disk. @throws where Docker or the image is not there. */
export async function startBenchRedis(): Promise<BenchRedis> {
  const port = await findFreePort();
  const password = randomHex(16);
  const name = `swiftcache-bench-${randomHex(6)}`;
  const { redisImage } = loadConfig();
  if (!redisImage) throw new Error('there is no Redis image: run "npm run setup" first');
  const flags = ['--detach', '--rm', '--name', name, '--network', 'host'];
  const script = `exec redis-server --port ${port} --bind 127.0.0.1 --save "" --maxclients ${clientsMax} --requirepass ${password}`;
  await run('docker', ['run', ...flags, redisImage, 'sh', '-c', script]);
  const admin = new Redis({ host: '127.0.0.1', port, password, retryStrategy: () => 50 });
  admin.on('error', () => {});
  const stop = async (): Promise<void> => {
    admin.disconnect();
    await run('docker', ['rm', '--force', name]);
  };
  try {
    const isUp = async (): Promise<true | undefined> =>
      (await admin.ping()) === 'PONG' || undefined;
    await pollUntil(isUp, { timeoutMs: startTimeoutMs, intervalMs: 50 });
  } catch (error) {
    await stop();
    throw error;
  }
  const runCli = async (args: readonly string[]): Promise<void> => {
    const cli = ['redis-cli', '-p', String(port), '-a', password, '--no-auth-warning', ...args];
    await run('docker', ['exec', name, ...cli], { maxBuffer: outputBytesMax });
  };
  const inspected = await run('docker', ['inspect', '--format', '{{.State.Pid}}', name]);
  return { port, pid: Number(inspected.stdout), password, admin, runCli, stop };
}

/** A port of the loopback address that nobody had a moment ago. */
export function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
