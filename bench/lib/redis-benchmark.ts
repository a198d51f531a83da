/** Load by redis-benchmark, Redis's own, from one thread a process. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Caller } from './caller-rows.ts';

const run = promisify(execFile);

export interface RedisLoad {
  /** A command of Redis, with its arguments. */
  readonly command: readonly string[];
  /** Of all processes together. */
  readonly connections: number;
  /** How many commands each connection sends before it waits for their replies. */
  readonly pipeline: number;
  /** Of all processes together. */
  readonly requests: number;
}

export interface RedisFigures {
  readonly perSecond: number;
  /** From sending to the reply, of the mean of processes. */
  readonly meanMs: number;
  readonly p99Ms: number;
}

/**
 * Sends the command again and again, from a process for each of the callers at the same time.
 * @throws where anything failed: figures of failures are none.
 */
export async function runRedisBenchmark(
  port: number,
  callers: readonly Caller[],
  { command, connections, pipeline, requests }: RedisLoad,
): Promise<RedisFigures> {
  const share = (whole: number): string => String(Math.ceil(whole / callers.length));
  const runs = callers.map(async ({ keyId, secret }) => {
    // The secret opens a Redis that lives as long as the benchmark does.
    const user = ['--user', keyId, '-a', secret];
    const load = ['-c', share(connections), '-P', String(pipeline), '-n', share(requests)];
    const flags = ['-h', '127.0.0.1', '-p', String(port), ...user, ...load, '--csv'];
    // It ends with a failure at the first reply that is an error.
    return await run('redis-benchmark', [...flags, ...command]).catch((error) => {
      throw new Error(`redis-benchmark ${command[0]} failed: ${String(error.stderr).slice(-500)}`);
    });
  });
  const figures = (await Promise.all(runs)).map(({ stdout }) => {
    // The title comes first and is the command, so the figures are read from the end.
    const columns = /"([\d.]+)","([\d.]+)","[\d.]+","[\d.]+","[\d.]+","([\d.]+)","[\d.]+"\s*$/;
    const [, perSecond, meanMs, p99Ms] = (columns.exec(stdout) ?? []).map(Number);
    if (!perSecond || meanMs === undefined || p99Ms === undefined) {
      throw new Error(`redis-benchmark ${command[0]} said ${stdout.slice(-500)}`);
    }
    return { perSecond, meanMs, p99Ms };
  });
  const sum = (of: (row: RedisFigures) => number): number =>
    figures.reduce((total, row) => total + of(row), 0);
  return {
    perSecond: sum((row) => row.perSecond),
    meanMs: sum((row) => row.meanMs) / figures.length,
    p99Ms: Math.max(...figures.map((row) => row.p99Ms)),
  };
}
