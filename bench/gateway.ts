/**
 * `npm run bench:gateway [-- --rounds N --seconds N --only TEXT --profile DIR | --soak MINUTES | --growth]`:
 * commands over HTTP, beside two yardsticks in the same rounds.
 *
 * Ours is the service's HTTP front in a process of its own with authentication, limits and metrics on;
 * beside it webdis, the gateway in C, before the same Redis without any of these, and a bare node:http
 * that sends the same bytes. They take turns, and what counts is the ratio within a round: on a busy
 * machine the figures themselves do not. wrk makes the load, from one thread.
 * With --soak, 60 % of the load that it can take, and what that does to its memory; with --growth, what
 * 1,000 instances with a caller each cost, and what 2,000 connections leave behind.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { asCaller, type BenchFront, readCpuMs, startBenchFront } from './lib/bench-front.ts';
import { measureGrowth } from './lib/gateway-growth.ts';
import { soak } from './lib/gateway-soak.ts';
import { median, spread, spreadOfRatios, takeTurns } from './lib/rounds.ts';
import { requireTools } from './lib/tools.ts';
import { startWebdis, type Webdis } from './lib/webdis.ts';
import { type HttpRequest, runWrk, sendOnce, type WrkFigures } from './lib/wrk.ts';

const warmUpSeconds = 2;
const cliCommands = 20_000;
const pipelineLength = 100;
/** Eight organizations came to the 100,000 commands a second of their plans. */
const callersCount = 16;

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    only: { type: 'string', default: '' },
    profile: { type: 'string' },
    soak: { type: 'string' },
    growth: { type: 'boolean', default: false },
  },
});

const small = 'x'.repeat(16);
const kilobyte = 'x'.repeat(1024);
const large = 'x'.repeat(64 * 1024);
const pipeline = JSON.stringify(Array.from({ length: pipelineLength }, () => ['GET', 'small']));

/** One of our requests, as each of the callers sends it. */
type ToOwn = (request: Request) => readonly HttpRequest[];
type Request = Omit<HttpRequest, 'url' | 'headers'> & { readonly path: string };

interface Scenario {
  readonly name: string;
  readonly connections: number;
  readonly own: Request;
  readonly webdis: Request;
  /** Commands in one of our requests; webdis has one in each of its own. */
  readonly commands: number;
}

const get = (key: string): Request => ({ method: 'GET', path: `/get/${key}` });
const getFromWebdis = (key: string): Request => ({ method: 'GET', path: `/GET/${key}` });
const single = { own: get('small'), webdis: getFromWebdis('small'), commands: 1 };
const scenarios: readonly Scenario[] = [
  ...[1, 64, 256].map((connections) => ({ name: 'GET', connections, ...single })),
  {
    name: 'SET of 1 KB',
    connections: 64,
    own: { method: 'POST', path: '', body: JSON.stringify(['SET', 'kilobyte', kilobyte]) },
    webdis: { method: 'PUT', path: '/SET/kilobyte', body: kilobyte },
    commands: 1,
  },
  {
    name: `pipeline of ${pipelineLength}`,
    connections: 64,
    own: { method: 'POST', path: '/pipeline', body: pipeline },
    webdis: getFromWebdis('small'),
    commands: pipelineLength,
  },
  {
    name: 'GET of 64 KB',
    connections: 64,
    own: get('large'),
    webdis: getFromWebdis('large'),
    commands: 1,
  },
];

interface Figures extends WrkFigures {
  /** Processor time for a command, of the server's process alone, in microseconds. */
  readonly cpuUsEach: number;
}

/** Requests that somebody answers, and how many commands each is worth. */
interface Rival {
  readonly pid: number;
  readonly requests: readonly HttpRequest[];
  readonly commands: number;
}

if (options.growth) {
  await measureGrowth(say);
  process.exit(0);
}
await requireTools(options.soak ? ['wrk'] : ['wrk', 'webdis']);
const gateway = await startBenchFront({ callers: callersCount, profileDir: options.profile });
const peer = fork(join(import.meta.dirname, 'bare-http.ts'));
try {
  await gateway.redis.admin.mset('small', small, 'large', large);
  const callers = gateway.callers.map((caller) => asCaller(gateway, caller));
  const toOwn: ToOwn = (request) =>
    callers.map(({ url, headers }) => toRequest(url, request, headers));
  if (options.soak)
    await soak(gateway, { requests: toOwn(get('small')), minutes: Number(options.soak), say });
  else await compare(toOwn);
} finally {
  peer.disconnect();
  await gateway.stop();
}

async function compare(toOwn: ToOwn): Promise<void> {
  const webdis = await startWebdis(gateway.redis);
  try {
    say(
      `${options.rounds} rounds of ${options.seconds} s each; commands per second, median (min–max)`,
    );
    for (const scenario of scenarios) {
      const name = nameOf(scenario);
      if (name.includes(options.only)) await measure(scenario, toOwn, webdis);
    }
    if (!options.only) await measureLatency(toOwn);
  } finally {
    await webdis.stop();
  }
}

async function measure(scenario: Scenario, toOwn: ToOwn, webdis: Webdis): Promise<void> {
  const { connections } = scenario;
  const ours = toOwn(scenario.own);
  const bareUrl = await tellPeer(await sendAll(ours));
  const theirs = toRequest(webdis.url, scenario.webdis, {});
  await sendAll([theirs]);
  const rivals: readonly Rival[] = [
    { pid: gateway.pid, requests: ours, commands: scenario.commands },
    { pid: webdis.pid, requests: [theirs], commands: 1 },
    {
      pid: peer.pid ?? 0,
      requests: ours.map((request) => ({ ...request, url: bareUrl })),
      commands: scenario.commands,
    },
  ];
  for (const { requests } of rivals)
    await runWrk(requests, { connections, seconds: warmUpSeconds });
  const figures = await takeTurns(rivals, Number(options.rounds), (rival) =>
    runRival(rival, connections),
  );
  const [ownFigures = [], webdisFigures = [], bareFigures = []] = figures;
  say(
    [
      nameOf(scenario).padEnd(38),
      `ours ${rate(ownFigures)}  webdis ${rate(webdisFigures)}  bare ${rate(bareFigures)}`,
      `${ratio(ownFigures, webdisFigures)} × webdis  ${ratio(ownFigures, bareFigures)} × bare`,
      `CPU µs ${cpu(ownFigures)} / ${cpu(webdisFigures)} / ${cpu(bareFigures)}`,
      `p99 ms ${p99(ownFigures)} / ${p99(webdisFigures)} / ${p99(bareFigures)}`,
    ].join('  '),
  );
}

async function runRival({ pid, requests, commands }: Rival, connections: number): Promise<Figures> {
  const cpuBeforeMs = readCpuMs(pid);
  const figures = await runWrk(requests, { connections, seconds: Number(options.seconds) });
  const cpuUs = (readCpuMs(pid) - cpuBeforeMs) * 1000;
  return {
    ...figures,
    perSecond: figures.perSecond * commands,
    cpuUsEach: cpuUs / (figures.requests * commands),
  };
}

/** What HTTP adds to a command at one connection: beside redis-cli, which has as little of its own as can be. */
async function measureLatency(toOwn: ToOwn): Promise<void> {
  const requests = toOwn(get('small'));
  const added: number[] = [];
  const direct: number[] = [];
  for (let round = 0; round < Number(options.rounds); round += 1) {
    const { meanMs } = await runWrk(requests, {
      connections: 1,
      seconds: Number(options.seconds),
    });
    const cliMs = await measureCli(gateway);
    direct.push(cliMs);
    added.push(meanMs - cliMs);
  }
  say(`redis-cli at 1 connection: ${spread(direct, 3)} ms a GET; HTTP adds ${spread(added, 3)} ms`);
}

/** Milliseconds a GET takes redis-cli: many at once minus one, so that its start does not count. */
async function measureCli({ redis }: BenchFront): Promise<number> {
  const time = async (commands: number): Promise<number> => {
    const startedMs = performance.now();
    await redis.runCli(['-r', String(commands), 'GET', 'small']);
    return performance.now() - startedMs;
  };
  const alone = await time(1);
  return ((await time(cliCommands + 1)) - alone) / cliCommands;
}

function toRequest(
  baseUrl: string,
  { path, ...request }: Request,
  headers: Record<string, string>,
): HttpRequest {
  return { ...request, url: `${baseUrl}${path}`, headers };
}

/** Sends each once, to see that they are answered; gives the last answer. */
async function sendAll(requests: readonly HttpRequest[]): Promise<string> {
  let text = '';
  for (const request of requests) text = await sendOnce(request);
  return text;
}

/** Has the peer send these bytes from now on; gives its address. */
async function tellPeer(body: string): Promise<string> {
  const answered = once(peer, 'message');
  peer.send(body);
  const [url] = await answered;
  return String(url);
}

function nameOf({ name, connections }: Scenario): string {
  return `${name}, ${connections} connection${connections === 1 ? '' : 's'}`;
}

function rate(figures: readonly Figures[]): string {
  return spread(
    figures.map(({ perSecond }) => perSecond),
    0,
  );
}

function p99(figures: readonly Figures[]): string {
  return median(figures.map(({ p99Ms }) => p99Ms)).toFixed(2);
}

function cpu(figures: readonly Figures[]): string {
  return median(figures.map(({ cpuUsEach }) => cpuUsEach)).toFixed(1);
}

function ratio(figures: readonly Figures[], others: readonly Figures[]): string {
  const [own, theirs] = [figures, others].map((list) => list.map(({ perSecond }) => perSecond));
  return spreadOfRatios(own ?? [], theirs ?? []);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
