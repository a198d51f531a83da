/**
 * The processes that serve a surface beside the service: forked, told what changes, asked what they counted,
 * replaced.
 *
 * starting → serving → ended; one that ends by itself is replaced after a wait that doubles while they end
 * early. All listen on one port, and the kernel shares connections out among them.
 *
 * Guarantees: a process sees an empty environment but for PATH; it is told of every drop at once, and asks
 * here for everything else; what it counted is not lost with it but for its last second; a stop ends all
 * within a bounded time, and the end of the service ends them, too.
 */
import { type ChildProcess, fork } from 'node:child_process';
import type { KeyPorts } from '../keys/ports.ts';
import type { Logger, LogLevel } from '../lib/logger.ts';
import type { Asked, FromProcess, Question, ToProcess } from './messages.ts';

const stopTimeoutMs = 8_000;
const restartMsMin = 250;
const restartMsMax = 10_000;
/** One that lived so long did not end because of how it was started. */
const settledMs = 30_000;
/** What of figures is about the moment, by the surfaces' names for it: of one that has ended there is none. */
const noneNow = { gauges: {}, peaks: {}, lows: {} };

/** What they are forked with, and for. */
export interface ProcessesDeps {
  readonly count: number;
  readonly ports: KeyPorts;
  readonly logger: Logger;
  readonly logLevel: LogLevel;
  readonly path: string;
}

/** What differs from surface to surface. */
interface Kind<Figures> {
  /** In the log: `a … process ended`. */
  readonly name: string;
  /** The program, which calls serveBeside (process.ts). */
  readonly file: string;
  /** Options of Node's. */
  readonly execArgv?: readonly string[];
  readonly addFigures: (figures: readonly Figures[]) => Figures;
}

export interface Processes<Settings, Figures> {
  /**
   * Forks them; resolves when all serve.
   * @throws an Error with the reason of the first that could not; what was started goes on until `close`.
   */
  start(settings: Settings): Promise<void>;
  dropKey(keyId: string, instanceId?: string): void;
  dropInstance(instanceId: string): void;
  /** What they counted, those that have ended as well. */
  readFigures(): readonly Figures[];
  /** The ids of those that serve. */
  pids(): readonly number[];
  /** Ends them in order; resolves when none is left and what they told is written. */
  close(): Promise<void>;
}

interface Forked<Figures> {
  readonly child: ChildProcess;
  readonly serving: PromiseWithResolvers<void>;
  isServing: boolean;
  figures: Figures | undefined;
}

/** Makes them; none runs before `start`. */
export function createProcesses<Settings, Figures extends { readonly gauges: object }>(
  { count, ports, logger, logLevel, path }: ProcessesDeps,
  { name, file, execArgv = [], addFigures }: Kind<Figures>,
): Processes<Settings, Figures> {
  const processes = new Set<Forked<Figures>>();
  /** What those counted that have ended. */
  let ended: Figures | undefined;
  const timers = new Set<NodeJS.Timeout>();
  let isClosed = false;
  const common = { logLevel, isShared: ports.findLostWays !== undefined };
  const answer = createAnswers<Settings>(name, ports, logger);

  function tellAll(message: ToProcess<Settings>): void {
    for (const { child } of processes) send(child, message);
  }

  /** @throws where it ends before it serves, or (at once) where it cannot be begun. */
  function forkOne(settings: Settings, waitMs: number): Promise<void> {
    const child = fork(file, [], {
      env: { PATH: path },
      execArgv: [...execArgv],
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const serving = Promise.withResolvers<void>();
    const own: Forked<Figures> = { child, serving, isServing: false, figures: undefined };
    const startedMs = performance.now();
    const onEnd = (code: number | null, signal: NodeJS.Signals | null): void => {
      processes.delete(own);
      serving.reject(new Error(`a ${name} process ended before it served`));
      keepFigures(own);
      if (isClosed) return;
      logger.warn({ code, signal }, `a ${name} process ended`);
      const isSettled = performance.now() - startedMs > settledMs;
      replaceIn(isSettled ? restartMsMin : Math.min(waitMs * 2, restartMsMax), settings);
    };
    processes.add(own);
    child.on('error', (error) => {
      logger.warn({ err: error }, `a ${name} process has an error`);
      // One that the system did not begin has no end to be told of.
      if (child.pid === undefined && processes.has(own)) onEnd(null, null);
    });
    child.on('message', (message: FromProcess<Figures>) => hear(own, message));
    child.once('exit', onEnd);
    send(child, { type: 'start', common, settings });
    return serving.promise;
  }

  function replaceIn(waitMs: number, settings: Settings): void {
    const timer = setTimeout(() => {
      timers.delete(timer);
      try {
        // Why it could not is logged as it is told.
        forkOne(settings, waitMs).catch(() => {});
      } catch (error) {
        // Some of what the system says against a fork Node throws: no memory, for one.
        logger.warn({ err: error }, `a ${name} process cannot be begun`);
        replaceIn(Math.min(waitMs * 2, restartMsMax), settings);
      }
    }, waitMs);
    timers.add(timer);
  }

  function keepFigures({ figures }: Forked<Figures>): void {
    if (!figures) return;
    const past = { ...figures, ...noneNow };
    ended = ended ? addFigures([ended, past]) : past;
  }

  function hear(own: Forked<Figures>, message: FromProcess<Figures>): void {
    if (message.type === 'listening') {
      own.isServing = true;
      own.serving.resolve();
    } else if (message.type === 'failed') {
      logger.error({ reason: message.reason }, `a ${name} process cannot serve`);
      own.serving.reject(new Error(message.reason));
    } else if (message.type === 'ask')
      void answer(message.id, message).then((told) => send(own.child, told));
    else {
      own.figures = message.figures;
      for (const keyId of message.keyIds) ports.keyUsage.touchKey(keyId);
    }
  }

  return {
    async start(settings) {
      const first = Array.from({ length: count }, () => forkOne(settings, restartMsMin / 2));
      await Promise.all(first);
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
      await ports.keyUsage.settle();
    },
  };
}

/** Makes what answers a question; it never throws. */
function createAnswers<Settings>(name: string, ports: KeyPorts, logger: Logger) {
  return async (id: number, question: Question): Promise<ToProcess<Settings>> => {
    try {
      return { type: 'answer', id, answer: await find(ports, question) };
    } catch (error) {
      // Only its kind: a database's message may quote the query.
      const kind = error instanceof Error ? error.name : typeof error;
      logger.warn({ kind, what: question.what }, `a ${name} process could not be answered`);
      return { type: 'no answer', id };
    }
  };
}

async function find(ports: KeyPorts, asked: Question): Promise<Asked[keyof Asked]['answer']> {
  if (asked.what === 'principal') return await ports.findPrincipal(asked.question);
  if (asked.what === 'rate') return await ports.rates.reserve(asked.question);
  if (asked.what === 'terms') return await ports.readTerms(asked.question);
  const lost = await ports.findLostWays?.(asked.question);
  return asked.question.flatMap((way, place) => (lost?.has(way) ? place : []));
}

function send<Settings>(child: ChildProcess, message: ToProcess<Settings>): void {
  // One that has just ended is told of by 'exit'.
  if (child.connected) child.send(message as object, () => {});
}

async function endProcess(child: ChildProcess): Promise<void> {
  const hasEnded = child.exitCode !== null || child.signalCode !== null;
  if (hasEnded || child.pid === undefined) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  child.once('exit', () => resolve());
  send(child, { type: 'stop' });
  const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
  await promise;
  clearTimeout(timer);
}
