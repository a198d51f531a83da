/**
 * A Docker daemon of its own, so that it can be restarted, killed and frozen without harm to anybody: own
 * data, containerd, socket and addresses, and no firewall rules. Needs root and dockerd on this machine.
 */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { loadConfig } from '../../src/config.ts';
import { pollUntil } from '../../src/lib/retry.ts';
import { connectDocker } from '../../src/provisioning/docker.ts';
import { CannotBreak } from './bench.ts';

const run = promisify(execFile);
const startTimeoutMs = 60_000;

export interface PrivateDockerd {
  /** Its address, as DOCKER_HOST. */
  readonly address: string;
  /** Starts it and waits until it answers. */
  start(): Promise<void>;
  end(signal: NodeJS.Signals): Promise<void>;
  /** As if its machine had stopped: connections open, no answer. */
  freeze(): void;
  thaw(): void;
  /** Ends it with everything in it. */
  remove(): Promise<void>;
}

/** Starts one that has the Redis image. @throws {CannotBreak} where that cannot be. */
export async function startPrivateDockerd(): Promise<PrivateDockerd> {
  const folder = mkdtempSync(join(tmpdir(), 'swiftcache-dockerd-'));
  const address = `unix://${join(folder, 'docker.sock')}`;
  const client = connectDocker(address);
  let child: ChildProcess | undefined;
  const signal = (name: NodeJS.Signals): void => void child?.kill(name);
  const dockerd: PrivateDockerd = {
    address,
    async start() {
      rmSync(join(folder, 'docker.pid'), { force: true });
      const log = openSync(join(folder, 'log'), 'a');
      child = spawn('dockerd', flagsFor(folder, address), { stdio: ['ignore', log, log] });
      child.once('error', () => {});
      const answers = async (): Promise<true> => {
        await client.ping();
        return true;
      };
      await pollUntil(answers, { timeoutMs: startTimeoutMs, intervalMs: 50 });
    },
    async end(name) {
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill(name);
      await exited;
    },
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    async remove() {
      signal('SIGCONT');
      if (child?.exitCode !== null || child.signalCode !== null) await dockerd.start();
      for (const { Id } of await client.listContainers({ all: true })) {
        await client.getContainer(Id).remove({ force: true });
      }
      await client.pruneNetworks();
      await dockerd.end('SIGTERM');
      unmountAll(join(folder, 'data'));
      rmSync(folder, { recursive: true, force: true });
    },
  };
  try {
    if (process.getuid?.() !== 0) throw new Error('root is needed');
    await dockerd.start();
    await loadImage(address);
  } catch (error) {
    await dockerd.end('SIGKILL');
    throw new CannotBreak(`a second dockerd does not start here: ${(error as Error).message}`);
  }
  return dockerd;
}

function flagsFor(folder: string, address: string): string[] {
  return [
    ['--data-root', join(folder, 'data')],
    ['--exec-root', join(folder, 'exec')],
    ['--pidfile', join(folder, 'docker.pid')],
    ['--host', address],
    ['--bridge', 'none'],
    ['--iptables=false', '--ip6tables=false'],
    ['--default-address-pool', 'base=10.213.0.0/16,size=24'],
  ].flat();
}

/** Every start binds the data folder once more. */
function unmountAll(path: string): void {
  try {
    for (;;) execFileSync('umount', [path], { stdio: 'ignore' });
  } catch {
    // The last one was the last.
  }
}

async function loadImage(address: string): Promise<void> {
  const { dockerHost, redisImage } = loadConfig({});
  const script = 'docker -H "$1" save "$2" | docker -H "$3" load';
  await run('sh', ['-c', script, 'sh', dockerHost, redisImage, address]);
}
