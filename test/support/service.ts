/**
 * A whole service for a test: its own process, data directory and ports, real Docker, Pulumi and Redis.
 *
 * Guarantees: what a test's service made in Docker is removed at the end, whatever the test did; two
 * services of two tests never meet.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { type ApiClient, createApiClient } from '../../scripts/api-client.ts';
import { removeInstallationObjects } from '../../scripts/installation-objects.ts';
import { loadConfig, rootDir } from '../../src/config.ts';

const startTimeoutMs = 60_000;
const settleTimeoutMs = 90_000;
export const accountKey = `sk_live_${'5c'.repeat(24)}`;

export interface TestService {
  readonly dataDir: string;
  readonly environment: Record<string, string>;
  /** Changes with each start when the port is free to choose; read it after start. */
  readonly url: string;
  readonly organizationId: string;
  readonly api: ApiClient;
  /** The process that was started last. */
  readonly pid: number | undefined;
  /** Everything it wrote to its standard streams so far. */
  output(): string;
  start(): Promise<void>;
  /** Ends it with a signal and waits for it; gives the exit code. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** What starts a service for itself: a test, or the chaos runs. */
export type ServiceOwner = Pick<ExecutionContext, 'teardown' | 'passed'> & {
  log(text: string): void;
};

/**
 * Starts a service; it is ended, and its things in Docker removed, when the test is over.
 * @param entry the program to run in place of src/main.ts: the same service with faults put in.
 */
export async function startTestService(
  t: ServiceOwner,
  overrides: Record<string, string> = {},
  entry = 'src/main.ts',
): Promise<TestService> {
  const dataDir = overrides.SWIFTCACHE_DATA_DIR ?? mkdtempSync(join(tmpdir(), 'swiftcache-test-'));
  // Below the ports that the kernel gives to outgoing connections.
  const first = 10_000 + Math.floor(Math.random() * 200) * 100;
  const environment = {
    SWIFTCACHE_DATA_DIR: dataDir,
    SWIFTCACHE_PORT: '0',
    SWIFTCACHE_REDIS_PORT: '0',
    SWIFTCACHE_INSTANCE_PORTS: `${first}-${first + 99}`,
    SWIFTCACHE_BOOTSTRAP_ACCOUNT_KEY: accountKey,
    SWIFTCACHE_LOG_LEVEL: 'debug',
    ...overrides,
  };
  const service = new ServiceProcess(dataDir, environment, entry);
  t.teardown(async () => {
    if (!t.passed) t.log(service.output().slice(-6_000));
    await service.end('SIGTERM');
    await removeInstallationObjects({
      dockerHost: loadConfig({}).dockerHost,
      databaseUrl: overrides.SWIFTCACHE_DATABASE_URL,
      databaseFile: join(dataDir, 'swiftcache.db'),
    });
    rmSync(dataDir, { recursive: true, force: true });
  });
  await service.start();
  return service;
}

/** A service's process, to be started; its starter ends it and clears up. */
export class ServiceProcess implements TestService {
  readonly dataDir: string;
  readonly environment: Record<string, string>;
  url = '';
  organizationId = '';
  #child: ChildProcess | undefined;
  #output = '';
  readonly #entry: string;

  constructor(dataDir: string, environment: Record<string, string>, entry = 'src/main.ts') {
    this.dataDir = dataDir;
    this.environment = environment;
    this.#entry = entry;
  }

  get api(): ApiClient {
    return createApiClient(this.url, accountKey, () => {});
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  output(): string {
    return this.#output;
  }

  async start(): Promise<void> {
    const child = spawn(process.execPath, [this.#entry], {
      cwd: rootDir,
      env: { ...withoutSettings(process.env), ...this.environment },
    });
    this.#child = child;
    const before = this.#output.length;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
      });
    }
    const deadlineMs = performance.now() + startTimeoutMs;
    while (performance.now() < deadlineMs && child.exitCode === null) {
      const said = this.#output.slice(before);
      // A process without the control API tells where its health is.
      const url = /(?:Base URL|Health) +(\S+)\/(?:api\/v1|readyz)/.exec(said)?.[1];
      if (url && /Ctrl-C/.test(said)) {
        this.url = url;
        this.organizationId = /Organization +(org_\w+)/.exec(said)?.[1] ?? '';
        return;
      }
      await sleep(50);
    }
    throw new Error(`the service did not start:\n${this.#output}`);
  }

  async end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child;
    if (!child) return null;
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit');
      child.kill(signal);
      await exited;
    }
    return child.exitCode;
  }
}

function withoutSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !name.startsWith('SWIFTCACHE_')),
  );
}

export interface TestInstance {
  readonly id: string;
  readonly key: string;
  readonly host: string;
  readonly port: number;
  readonly operationId: string;
}

/** Asks for an instance; does not wait. */
export async function requestInstance(
  service: TestService,
  body: Record<string, unknown> = {},
): Promise<TestInstance> {
  const { instance, createdDefaultKey, operation } = await service.api.call(
    'POST',
    '/api/v1/instances',
    {
      organizationId: service.organizationId,
      name: 'test',
      maxMemory: 32 * 1024 * 1024,
      region: 'eu-central',
      ...body,
    },
  );
  return {
    id: instance.id,
    key: createdDefaultKey?.plainTextKey,
    host: instance.host,
    port: instance.port,
    operationId: operation.id,
  };
}

/** Waits until an operation has ended and gives it. */
// biome-ignore lint/suspicious/noExplicitAny: an answer of the API, as it came.
export async function awaitOperation(service: TestService, operationId: string): Promise<any> {
  const deadlineMs = performance.now() + settleTimeoutMs;
  while (performance.now() < deadlineMs) {
    const { operation } = await service.api.call('GET', `/api/v1/operations/${operationId}`);
    if (operation.finishedAt) return operation;
    await sleep(100);
  }
  throw new Error(`operation ${operationId} did not end`);
}

/** Creates an instance and waits until it runs. */
export async function createRunningInstance(
  service: TestService,
  body: Record<string, unknown> = {},
): Promise<TestInstance> {
  const instance = await requestInstance(service, body);
  const operation = await awaitOperation(service, instance.operationId);
  if (operation.status !== 'SUCCEEDED') throw new Error(JSON.stringify(operation));
  return instance;
}
