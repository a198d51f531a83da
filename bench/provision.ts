/**
 * `npm run bench:provision [-- ROUNDS]`: how long a create takes, beside what Docker alone takes.
 *
 * Alternating in one run: `docker run` of the same image until the first PONG, and POST /api/v1/instances
 * on a service of its own until the first PONG through the redis:// door. Prints medians, the ratio, and
 * where the create's time goes.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createApiClient } from '../scripts/api-client.ts';
import { removeInstallationObjects } from '../scripts/installation-objects.ts';
import { loadConfig } from '../src/config.ts';
import { createLogger } from '../src/lib/logger.ts';
import { startService } from '../src/service.ts';

const run = promisify(execFile);
const rounds = Number(process.argv[2] ?? 15);
const accountKey = `sk_live_${'be'.repeat(24)}`;
const pollMs = 5;

const dataDir = mkdtempSync(join(tmpdir(), 'swiftcache-bench-'));
const config = loadConfig({
  ...process.env,
  SWIFTCACHE_DATA_DIR: dataDir,
  SWIFTCACHE_PORT: '0',
  SWIFTCACHE_REDIS_PORT: '0',
  SWIFTCACHE_BOOTSTRAP_ACCOUNT_KEY: accountKey,
  SWIFTCACHE_LOG_LEVEL: 'warn',
});
const service = await startService(config, createLogger('warn'));
const api = createApiClient(service.url, accountKey, () => {});

interface Sample {
  readonly totalMs: number;
  readonly partsMs: Record<string, number>;
}

try {
  process.stdout.write(`${rounds} rounds, alternating; one to warm up\n`);
  await createOne();
  await runDocker();
  const docker: number[] = [];
  const creates: Sample[] = [];
  for (let round = 0; round < rounds; round += 1) {
    docker.push(await runDocker());
    creates.push(await createOne());
  }
  report(docker, creates);
} finally {
  await service.stop();
  await removeInstallationObjects(config);
  rmSync(dataDir, { recursive: true, force: true });
}

/** The yardstick: the same image, its port published, until the first PONG. Gives milliseconds. */
async function runDocker(): Promise<number> {
  const port = 19_000 + Math.floor(Math.random() * 900);
  const startedMs = performance.now();
  const { stdout } = await run('docker', [
    ...['run', '-d', '--memory', '128m', '--memory-swap', '128m'],
    ...['-p', `127.0.0.1:${port}:6379`, config.redisImage],
    ...['redis-server', '--protected-mode', 'no'],
  ]);
  await awaitPong('127.0.0.1', port, undefined);
  const tookMs = performance.now() - startedMs;
  await run('docker', ['rm', '-f', '-v', stdout.trim()]);
  return tookMs;
}

/** A create through the API until the first PONG through the door, and its parts from the operation. */
async function createOne(): Promise<Sample> {
  const startedMs = performance.now();
  const startedAt = Date.now();
  const { instance, createdDefaultKey, operation } = await api.call('POST', '/api/v1/instances', {
    organizationId: service.organizationId,
    name: 'bench',
    maxMemory: 64 * 1024 * 1024,
    region: 'eu-central',
  });
  await awaitPong(instance.host, instance.port, createdDefaultKey.plainTextKey);
  const totalMs = performance.now() - startedMs;
  const ended = await awaitEnd(operation.id);
  const partsMs = splitParts(ended, startedAt);
  const deletion = await api.call('DELETE', `/api/v1/instances/${instance.id}`);
  await awaitEnd(deletion.operation.id);
  return { totalMs, partsMs };
}

// biome-ignore lint/suspicious/noExplicitAny: an answer of the API, as it came.
function splitParts(operation: any, startedAt: number): Record<string, number> {
  const at = (name: string): number => {
    const step = operation.steps.find((candidate: { name: string }) => candidate.name === name);
    return Date.parse(step.startedAt);
  };
  return {
    'accept and queue': Date.parse(operation.startedAt) - startedAt,
    'stack and configuration, CLI start': at('volume') - Date.parse(operation.startedAt),
    volume: at('container') - at('volume'),
    container: at('settings') - at('container'),
    settings: at('finish') - at('settings'),
    'record, keys, ready': Date.parse(operation.finishedAt) - at('finish'),
  };
}

// biome-ignore lint/suspicious/noExplicitAny: an answer of the API, as it came.
async function awaitEnd(operationId: string): Promise<any> {
  for (;;) {
    const { operation } = await api.call('GET', `/api/v1/operations/${operationId}`);
    if (operation.status === 'FAILED') throw new Error(JSON.stringify(operation.error));
    if (operation.finishedAt) return operation;
    await sleep(pollMs);
  }
}

/** Connects anew until PING is answered with PONG. */
async function awaitPong(host: string, port: number, key: string | undefined): Promise<void> {
  while (!(await answersPong(host, port, key))) await sleep(pollMs);
}

function answersPong(host: string, port: number, key: string | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = new Socket();
    let received = '';
    const end = (found: boolean): void => {
      socket.destroy();
      resolve(found);
    };
    socket.setTimeout(500, () => end(false));
    socket.on('error', () => end(false)).on('close', () => end(false));
    socket.setEncoding('utf8').on('data', (text) => {
      received += text;
      if (received.includes('PONG')) end(true);
      else if (received.startsWith('-')) end(false);
    });
    socket.connect(port, host, () => socket.write(`${key ? `AUTH ${key}\r\n` : ''}PING\r\n`));
  });
}

function report(docker: readonly number[], creates: readonly Sample[]): void {
  const totals = creates.map(({ totalMs }) => totalMs);
  const line = (name: string, values: readonly number[]): string => {
    const sorted = [...values].sort((a, b) => a - b);
    const [low, high] = [sorted[0] ?? 0, sorted.at(-1) ?? 0];
    const figures = [median(values), low, high].map((ms) => ms.toFixed(0).padStart(7));
    return `${name.padEnd(38)}${figures.join('')}`;
  };
  const parts = Object.keys(creates[0]?.partsMs ?? {});
  const lines = [
    `\n${'milliseconds'.padEnd(38)} median    min    max`,
    line('docker run → PONG', docker),
    line('POST /api/v1/instances → PONG', totals),
    ...parts.map((part) => {
      const values = creates.map(({ partsMs }) => partsMs[part] ?? 0);
      return line(`  ${part}`, values);
    }),
    `\nratio of the medians: ${(median(totals) / median(docker)).toFixed(2)}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
