/**
 * What a look at an instance gives: Redis's own counters, as INFO and LATENCY HISTOGRAM tell them.
 *
 * Commands that the platform sends too are told from a client's by nothing but their names, so those
 * names are not counted at all: signing in, PING, CLIENT …, INFO, and what only the platform may run.
 */
import type { LatencyBuckets } from './latency.ts';

export const infoSections = ['server', 'clients', 'memory', 'stats', 'commandstats'] as const;

/** What only grows while a Redis process lives. */
export interface Counters {
  readonly commands: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly hits: number;
  readonly misses: number;
  readonly evicted: number;
  readonly expired: number;
}

export const counterNames = [
  'commands',
  'bytesIn',
  'bytesOut',
  'hits',
  'misses',
  'evicted',
  'expired',
] as const satisfies readonly (keyof Counters)[];

export interface Reading extends Counters {
  /** Names the Redis process: another one began at zero. */
  readonly runId: string;
  /** When Redis read its counters, by its host's clock, in microseconds since the epoch. */
  readonly serverTimeUs: number;
  /** The data's memory in bytes, as maxmemory counts it. */
  readonly memoryUsed: number;
  readonly clients: number;
  readonly latency: LatencyBuckets;
}

/** What the reader itself moved over its connection. */
export interface OwnTraffic {
  /** Bytes in these counters that the reader sent and that no earlier reading of its connection held. */
  readonly bytesIn: number;
  /** The same, received. */
  readonly bytesOut: number;
  /** Bytes of the answer to this look: the next reading's counters will hold them. */
  readonly replyBytes: number;
}

export interface Sample {
  readonly reading: Reading;
  readonly own: OwnTraffic;
}

/** The platform's own, and what checks a connection: the gateway sends an ECHO after each script. */
const uncounted = new Set([
  ...['auth', 'hello', 'ping', 'echo', 'client', 'info', 'config', 'acl', 'latency'],
  'memory|purge',
]);

/**
 * @param info INFO's answer for `infoSections`.
 * @param histograms LATENCY HISTOGRAM's answer as a flat list of names and values; where Redis tells
 * nothing, an empty one.
 * @throws when a field is missing.
 */
export function parseReading(info: string, histograms: unknown): Reading {
  const fields = new Map<string, string>();
  let commands = 0;
  for (const line of info.split('\r\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1);
    if (!name.startsWith('cmdstat_')) fields.set(name, value);
    else if (isCounted(name.slice('cmdstat_'.length))) commands += readCalls(value);
  }
  const text = (name: string): string => {
    const value = fields.get(name);
    if (value === undefined) throw new Error(`INFO gave no ${name}`);
    return value;
  };
  const number = (name: string): number => {
    const value = Number(text(name));
    if (!Number.isSafeInteger(value)) throw new Error(`INFO gave no number as ${name}`);
    return value;
  };
  return {
    runId: text('run_id'),
    serverTimeUs: number('server_time_usec'),
    commands,
    bytesIn: number('total_net_input_bytes'),
    bytesOut: number('total_net_output_bytes'),
    hits: number('keyspace_hits'),
    misses: number('keyspace_misses'),
    evicted: number('evicted_keys'),
    expired: number('expired_keys'),
    memoryUsed: Math.max(0, number('used_memory') - number('mem_not_counted_for_evict')),
    // One of them is the reader.
    clients: Math.max(0, number('connected_clients') - 1),
    latency: parseHistograms(histograms),
  };
}

/** A subcommand is named `config|get`. */
function isCounted(command: string): boolean {
  const [group = ''] = command.split('|', 1);
  return !uncounted.has(group) && !uncounted.has(command);
}

function readCalls(stats: string): number {
  const calls = Number(/^calls=(\d+)/.exec(stats)?.[1]);
  if (!Number.isSafeInteger(calls)) throw new Error('INFO gave no calls of a command');
  return calls;
}

/** Merges the commands' histograms. Redis gives each as the calls up to a time, so they are subtracted. */
function parseHistograms(histograms: unknown): LatencyBuckets {
  const merged: Record<string, number> = {};
  for (const [command, value] of pairs(histograms)) {
    if (!isCounted(String(command))) continue;
    const distribution = pairs(value).find(([name]) => name === 'histogram_usec')?.[1];
    let before = 0;
    for (const [bound, cumulative] of pairs(distribution)) {
      const calls = Number(cumulative) - before;
      before = Number(cumulative);
      const name = String(bound);
      merged[name] = (merged[name] ?? 0) + calls;
    }
  }
  return merged;
}

function pairs(flat: unknown): [unknown, unknown][] {
  if (!Array.isArray(flat)) throw new Error('LATENCY HISTOGRAM gave no list');
  const found: [unknown, unknown][] = [];
  for (let index = 0; index + 1 < flat.length; index += 2) {
    found.push([flat[index], flat[index + 1]]);
  }
  return found;
}
