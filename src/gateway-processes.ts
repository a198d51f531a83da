/**
 * The gateway processes of a service: forked, told what changes, asked what they counted, replaced.
 *
 * starting → serving → ended; one that ends by itself is replaced after a wait that doubles while they end
 * early. All listen on the service's own port, and the kernel shares connections out among them.
 *
 * Guarantees: a process sees an empty environment but for PATH; it is told of every drop at once, and asks
 * here for everything else; what it counted is not lost with it but for its last second; a stop ends all
 * within a bounded time, and the end of the service ends them, too.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { restoreAddress } from './forwarding.ts';
import { addFigures } from './gateway/exposed-figures.ts';
import type { Figures } from './gateway/observe.ts';
import type { GatewayPorts } from './gateway/ports.ts';
import type {
  Asked,
  FromProcess,
  ProcessSettings,
  Question,
  ToProcess,
} from './gateway-messages.ts';
import { boundBodies } from './http/body-time.ts';
import { bodyTimeoutMs, closeHttpServer } from './http-server.ts';
import type { Logger } from './lib/logger.ts';

const processFile = fileURLToPath(new URL('./gateway-process.ts', import.meta.url));
/**
 * Of a request that is passed on: more than the public port takes (Node's 16 KiB and 1,000 headers), so what was
 * taken there is never refused here for the headers that it got on its way.
 */
const forwardedHeaderBytesMax = 64 * 1024;
const stopTimeoutMs = 8_000;
const restartMsMin = 250;
const restartMsMax = 10_000;
/** One that lived so long did not end because of how it was started. */
const settledMs = 30_000;

interface ProcessesDeps {
  readonly count: number;
  readonly ports: GatewayPorts;
  readonly logger: Logger;
  readonly path: string;
}

export interface GatewayProcesses {
  /**
   * Forks them, once the service's port is known.
   * @param others serves what is not the gateway's.
   */
  start(
    settings: Omit<ProcessSettings, 'socketPath' | 'isShared'>,
    others: (request: IncomingMessage, response: ServerResponse) => void,
  ): Promise<void>;
  dropKey(keyId: string, instanceId?: string): void;
  dropInstance(instanceId: string): void;
  /** What they counted, those that have ended as well. */
  readFigures(): readonly Figures[];
  /** The ids of those that serve. */
  pids(): readonly number[];
  close(): Promise<void>;
}

interface GatewayProcess {
  readonly child: ChildProcess;
  isServing: boolean;
  figures: Figures | undefined;
}

export function createGatewayProcesses(deps: ProcessesDeps): GatewayProcesses {
  const { count, ports, logger, path } = deps;
  const processes = new Set<GatewayProcess>();
  /** What those counted that have ended. */
  let ended: Figures | undefined;
  const timers = new Set<NodeJS.Timeout>();
  let isClosed = false;
  let folder: string | undefined;
  let server: Server | undefined;

  function tellAll(message: ToProcess): void {
    for (const { child } of processes) send(child, message);
  }

  function forkOne(settings: ProcessSettings, waitMs: number): void {
    if (isClosed) return;
    const child = fork(processFile, [], {
      env: { PATH: path },
      execArgv: [],
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const own: GatewayProcess = { child, isServing: false, figures: undefined };
    const startedMs = performance.now();
    processes.add(own);
    child.on('error', (error) => logger.warn({ err: error }, 'a gateway process has an error'));
    child.on('message', (message: FromProcess) => hear(own, message));
    child.once('exit', (code, signal) => {
      processes.delete(own);
      if (own.figures) {
        const past = { ...own.figures, gauges: {} };
        ended = ended ? addFigures([ended, past]) : past;
      }
      if (isClosed) return;
      logger.warn({ code, signal }, 'a gateway process ended');
      const isSettled = performance.now() - startedMs > settledMs;
      const nextMs = isSettled ? restartMsMin : Math.min(waitMs * 2, restartMsMax);
      const timer = setTimeout(() => {
        timers.delete(timer);
        forkOne(settings, nextMs);
      }, nextMs);
      timers.add(timer);
    });
    send(child, { type: 'start', settings });
  }

  function hear(own: GatewayProcess, message: FromProcess): void {
    if (message.type === 'listening') own.isServing = true;
    else if (message.type === 'ask') void answer(own.child, message.id, message);
    else {
      own.figures = message.figures;
      for (const keyId of message.keyIds) ports.keyUsage.touchKey(keyId);
    }
  }

  async function answer(child: ChildProcess, id: number, question: Question): Promise<void> {
    try {
      send(child, { type: 'answer', id, answer: await find(ports, question) });
    } catch (error) {
      // Only its kind: a database's message may quote the query.
      const kind = error instanceof Error ? error.name : typeof error;
      logger.warn({ kind, what: question.what }, 'a gateway process could not be answered');
      send(child, { type: 'no answer', id });
    }
  }

  return {
    async start(settings, others) {
      // Only this user may open the folder, so nobody else can claim an address.
      folder = mkdtempSync(join(tmpdir(), 'swiftcache-'));
      const socketPath = join(folder, 'service');
      server = createServer({ maxHeaderSize: forwardedHeaderBytesMax }, (request, response) => {
        restoreAddress(request);
        others(request, response);
      });
      boundBodies(server, bodyTimeoutMs);
      // Their number is bounded where they come from; none of them is to be left out here.
      server.maxHeadersCount = 0;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      server.once('error', reject).listen(socketPath, resolve);
      await promise;
      const isShared = ports.findLostWays !== undefined;
      for (let index = 0; index < count; index += 1) {
        forkOne({ ...settings, socketPath, isShared }, restartMsMin / 2);
      }
    },
    dropKey: (keyId, instanceId) => tellAll({ type: 'drop key', keyId, instanceId }),
    dropInstance: (instanceId) => tellAll({ type: 'drop instance', instanceId }),
    readFigures() {
      const figures = [...processes].flatMap((own) => own.figures ?? []);
      return ended ? [ended, ...figures] : figures;
    },
    pids: () => [...processes].flatMap(({ child, isServing }) => (isServing && child.pid) || []),
    async close() {
      isClosed = true;
      for (const timer of timers) clearTimeout(timer);
      await Promise.all([...processes].map(({ child }) => endProcess(child)));
      if (server) await closeHttpServer(server);
      if (folder) rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function find(ports: GatewayPorts, asked: Question): Promise<Asked[keyof Asked]['answer']> {
  if (asked.what === 'principal') return await ports.findPrincipal(asked.question);
  if (asked.what === 'rate') return await ports.rates.reserve(asked.question);
  const lost = await ports.findLostWays?.(asked.question);
  return asked.question.flatMap((way, place) => (lost?.has(way) ? place : []));
}

function send(child: ChildProcess, message: ToProcess): void {
  // One that has just ended is told of by 'exit'.
  if (child.connected) child.send(message, () => {});
}

async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  child.once('exit', () => resolve());
  send(child, { type: 'stop' });
  const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
  await promise;
  clearTimeout(timer);
}
