/**
 * `npm run bench:edge [-- --rounds N --seconds N --only TEXT --haproxy-threads N --profile DIR | --growth]
 * [--processes N]`:
 * what the redis:// door costs, beside three yardsticks in the same rounds.
 *
 * Ours is the service with the door alone, in a process of its own, over a real database with keys, limits
 * and metrics on; beside it HAProxy in TCP mode, which forwards and does nothing else, the same in Node that
 * looks at nothing, and Redis itself. All lead to one Redis and are signed in to as the same ACL users. They
 * take turns, and what counts is the ratio within a round. redis-benchmark makes the load, one process for
 * each caller: one organization alone would come to the commands a second of its plan.
 * With --growth, what 10,000 connections cost that are signed in and idle. With --processes, the door is in so
 * many processes of its own, and what is told of the door's process is told of the first.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readCpuMs, startBenchFront } from './lib/bench-front.ts';
import { measureIdle } from './lib/edge-growth.ts';
import { startHaproxy } from './lib/haproxy.ts';
import { type RedisFigures, runRedisBenchmark } from './lib/redis-benchmark.ts';
import { median, spread, spreadOfRatios, takeTurns } from './lib/rounds.ts';
import { requireTools } from './lib/tools.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
    'haproxy-threads': { type: 'string', default: '0' },
    profile: { type: 'string' },
    growth: { type: 'boolean', default: false },
    processes: { type: 'string', default: '0' },
  },
});

const connections = 64;
const pipelineLength = 16;
/** Together they may send 800,000 commands a second, more than one Redis answers. */
const callersCount = 8;
const warmUpRequests = 2_000;
const roundMsMin = 200;

interface Scenario {
  readonly name: string;
  readonly command: readonly string[];
  readonly connections: number;
  readonly pipeline: number;
  /** Processes of redis-benchmark, each with a key of its own. */
  readonly callers: number;
  /** Of HAProxy's rate, what ours is to reach. */
  readonly bar: number;
}

const kilobyte = 'x'.repeat(1024);
const large = 'x'.repeat(64 * 1024);
const plain = { connections, pipeline: 1, callers: 1 };
const scenarios: readonly Scenario[] = [
  { name: 'GET', command: ['GET', 'small'], ...plain, bar: 0.8 },
  {
    name: `GET in pipelines of ${pipelineLength}`,
    command: ['GET', 'small'],
    connections,
    pipeline: pipelineLength,
    callers: callersCount,
    bar: 0.9,
  },
  { name: 'SET of 1 KB', command: ['SET', 'kilobyte', kilobyte], ...plain, bar: 0.8 },
  { name: 'GET of 1 KB', command: ['GET', 'kilobyte'], ...plain, bar: 0.8 },
  { name: 'SET of 64 KB', command: ['SET', 'large', large], ...plain, bar: 0.9 },
  { name: 'GET of 64 KB', command: ['GET', 'large'], ...plain, bar: 0.9 },
];
const alone: Scenario = {
  name: 'GET',
  command: ['GET', 'small'],
  connections: 1,
  pipeline: 1,
  callers: 1,
  bar: 0,
};
const addedMsMax = 0.1;

/** Somebody to connect to, and the process whose time is counted. */
interface Rival {
  readonly port: number;
  readonly pid: number;
}

interface Figures extends RedisFigures {
  /** Processor time for a command, of the rival's process alone, in microseconds. */
  readonly cpuUsEach: number;
}

await requireTools(['redis-benchmark', ...(options.growth ? [] : (['haproxy'] as const))]);
const front = await startBenchFront({
  role: 'edge',
  callers: callersCount,
  profileDir: options.profile,
  doorProcesses: Number(options.processes),
});
try {
  if (options.growth) await measureIdle(front, say);
  else await compare();
} finally {
  await front.stop();
}

async function compare(): Promise<void> {
  const { redis } = front;
  await redis.admin.mset('small', 'x'.repeat(16), 'kilobyte', kilobyte, 'large', large);
  const haproxy = await startHaproxy(redis.port, Number(options['haproxy-threads']));
  const bare = fork(join(import.meta.dirname, 'lib/bare-tcp.ts'), [String(redis.port)]);
  try {
    const [barePort] = await once(bare, 'message');
    const rivals: readonly Rival[] = [
      { port: front.doorPort, pid: front.pid },
      { port: haproxy.port, pid: haproxy.pid },
      { port: Number(barePort), pid: bare.pid ?? 0 },
      { port: redis.port, pid: redis.pid },
    ];
    const { rounds, seconds } = options;
    say(`${rounds} rounds of ${seconds} s each; commands per second, median (min–max)`);
    for (const scenario of scenarios) {
      if (nameOf(scenario).includes(options.only)) await measure(scenario, rivals);
    }
    if (!options.only) await measureLatency(rivals);
  } finally {
    bare.disconnect();
    await haproxy.stop();
  }
}

async function measure(scenario: Scenario, rivals: readonly Rival[]): Promise<void> {
  const [ours = [], haproxy = [], bare = [], direct = []] = await runInTurns(scenario, rivals);
  const all = [ours, haproxy, bare, direct];
  const rates = all.map((figures) => figures.map(({ perSecond }) => perSecond));
  const [own = [], theirs = [], plainNode = [], redis = []] = rates;
  const each = (of: (row: Figures) => number, digits: number): string =>
    all.map((figures) => median(figures.map(of)).toFixed(digits)).join(' / ');
  say(
    [
      nameOf(scenario).padEnd(38),
      `ours ${spread(own, 0)}  haproxy ${spread(theirs, 0)}`,
      `bare ${spread(plainNode, 0)}  direct ${spread(redis, 0)}`,
      `${spreadOfRatios(own, theirs)} × haproxy (bar ${scenario.bar})`,
      `bare ${spreadOfRatios(plainNode, theirs)}  direct ${spreadOfRatios(redis, theirs)} × haproxy`,
      `CPU µs ${each((row) => row.cpuUsEach, 1)}`,
      `p99 ms ${each((row) => row.p99Ms, 2)}`,
    ].join('  '),
  );
}

/** What each adds to a command at one connection, beside Redis itself in the same round. */
async function measureLatency(rivals: readonly Rival[]): Promise<void> {
  const figures = await runInTurns(alone, rivals);
  const means = figures.map((rows) => rows.map(({ meanMs }) => meanMs));
  const [own = [], haproxy = [], bare = [], direct = []] = means;
  const added = (rows: readonly number[]): string =>
    spread(
      rows.map((meanMs, round) => meanMs - (direct[round] ?? 0)),
      3,
    );
  say(
    `${nameOf(alone)}: direct ${spread(direct, 3)} ms; added by ours ${added(own)} ms ` +
      `(bar ${addedMsMax})  haproxy ${added(haproxy)}  bare ${added(bare)}`,
  );
}

/** The figures of each rival, by rounds, after a run of each that shows how much a round holds. */
async function runInTurns(scenario: Scenario, rivals: readonly Rival[]): Promise<Figures[][]> {
  const sized: (Rival & { requests: number })[] = [];
  for (const rival of rivals) {
    // The first run wakes the rival up, the second tells its rate.
    const few = warmUpRequests * scenario.pipeline;
    await runRival(rival, scenario, few);
    const { perSecond } = await runRival(rival, scenario, 4 * few);
    const roundMs = Math.max(Number(options.seconds) * 1_000, roundMsMin);
    sized.push({ ...rival, requests: Math.ceil((perSecond * roundMs) / 1_000) });
  }
  return await takeTurns(sized, Number(options.rounds), (rival) =>
    runRival(rival, scenario, rival.requests),
  );
}

async function runRival(
  { port, pid }: Rival,
  { callers, ...load }: Scenario,
  requests: number,
): Promise<Figures> {
  const cpuBeforeMs = readCpuMs(pid);
  const figures = await runRedisBenchmark(port, front.callers.slice(0, callers), {
    ...load,
    requests,
  });
  return { ...figures, cpuUsEach: ((readCpuMs(pid) - cpuBeforeMs) * 1_000) / requests };
}

function nameOf({ name, connections: count }: Scenario): string {
  return `${name}, ${count} connection${count === 1 ? '' : 's'}`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
