/**
 * Providers kept warm: the Docker provider and our own plugin are started once a worker and serve every
 * run, instead of being started anew by each CLI process (about half a second a run).
 *
 * A provider that does not start, or ends, is left to the CLI, which then starts it in the ordinary way:
 * warmth is speed, never a condition.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { rootDir } from '../config.ts';
import type { WorkerSettings } from './messages.ts';

const startTimeoutMs = 15_000;
const dockerPluginVersion = '5.2.0';

export interface WarmProviders {
  /** The value of PULUMI_DEBUG_PROVIDERS; '' when none is warm. */
  attachList(): string;
  stop(): void;
}

/** Starts both providers and waits until they print their ports. */
export async function startWarmProviders(settings: WorkerSettings): Promise<WarmProviders> {
  const starts = await Promise.all(
    Object.entries(providerCommands(settings)).map(async ([name, file]) => {
      return { name, ...(await startProvider(file)) };
    }),
  );
  const running = new Map(starts.map(({ name, child, port }) => [name, { child, port }]));
  for (const [name, { child }] of running) {
    child?.once('exit', () => running.delete(name));
  }
  return {
    attachList() {
      return [...running]
        .filter(([, { port }]) => port !== undefined)
        .map(([name, { port }]) => `${name}:${port}`)
        .join(',');
    },
    stop() {
      for (const { child } of running.values()) child?.kill('SIGTERM');
    },
  };
}

function providerCommands({ pulumiHome }: WorkerSettings): Record<string, string> {
  const dockerFolder = `plugins/resource-docker-v${dockerPluginVersion}`;
  return {
    docker: join(pulumiHome, dockerFolder, 'pulumi-resource-docker'),
    swiftcache: join(rootDir, 'infra/provider/pulumi-resource-swiftcache'),
  };
}

interface StartedProvider {
  readonly child: ChildProcess | undefined;
  readonly port: number | undefined;
}

/** Starts a provider in the worker's own environment; its first line is the port it serves on. */
function startProvider(file: string): Promise<StartedProvider> {
  if (!existsSync(file)) return Promise.resolve({ child: undefined, port: undefined });
  const child = spawn(file, [], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return new Promise((resolve) => {
    const timer = setTimeout(() => end(undefined), startTimeoutMs);
    const end = (port: number | undefined): void => {
      clearTimeout(timer);
      if (port === undefined) child.kill('SIGKILL');
      resolve(port === undefined ? { child: undefined, port } : { child, port });
    };
    child.once('error', () => end(undefined));
    child.once('exit', () => end(undefined));
    createInterface({ input: child.stdout }).once('line', (line) => {
      const port = Number(line.trim());
      end(Number.isInteger(port) && port > 0 ? port : undefined);
    });
  });
}
