/** Load over HTTP from this process: so many connections, each with one request under way at a time. */
import { Agent, request } from 'node:http';

const connections = 16;

/** What a request asks for; `headers` are the caller's choice for each connection and turn. */
export interface Target {
  readonly url: string;
  headers(connection: number, turn: number): Record<string, string>;
}

export interface Figures {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Asks again and again on every connection until the time is over. @throws when an answer is not 200. */
export async function measureLoad(target: Target, durationMs: number): Promise<Figures> {
  const agents = Array.from({ length: connections }, (_, connection) => openAgent(connection));
  const timesMs: number[] = [];
  const startedMs = performance.now();
  try {
    await Promise.all(
      agents.map(async (agent, connection) => {
        for (let turn = 0; performance.now() - startedMs < durationMs; turn += 1) {
          const sentMs = performance.now();
          await get(target.url, agent, target.headers(connection, turn));
          timesMs.push(performance.now() - sentMs);
        }
      }),
    );
    const tookS = (performance.now() - startedMs) / 1000;
    return { perSecond: timesMs.length / tookS, ...percentiles(timesMs) };
  } finally {
    for (const agent of agents) agent.destroy();
  }
}

/** The middle and the slowest hundredth of some times. */
export function percentiles(timesMs: readonly number[]): Pick<Figures, 'p50Ms' | 'p99Ms'> {
  const sorted = [...timesMs].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN;
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}

/**
 * One kept connection. Linux has the whole of 127.0.0.0/8, so that there each has an address of its own,
 * as callers have, and the limit for one address is not what is measured.
 */
function openAgent(connection: number): Agent {
  const localAddress = process.platform === 'linux' ? `127.0.1.${connection + 1}` : undefined;
  const place = localAddress === undefined ? {} : { localAddress };
  return new Agent({ keepAlive: true, maxSockets: 1, ...place });
}

function get(url: string, agent: Agent, headers: Record<string, string>): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent, headers }, (response) => {
      response.resume();
      response.once('error', reject);
      response.once('end', () => {
        if (response.statusCode === 200) resolve();
        else reject(new Error(`${url} answered ${response.statusCode}`));
      });
    });
    sent.once('error', reject);
    sent.end();
  });
}
