/**
 * The pool of provisioning workers: forks them, keeps them warm, gives each one job at a time.
 *
 * Guarantees: a job ends: with an answer, or, where it takes too long or shows no progress (deadlines.ts),
 * by SIGINT to the CLI and, if that does not end it in time, SIGKILL to the worker's process group and
 * whatever else has its folder; a job begins to change things only while its giver says that it may; a
 * worker that died or was ended is replaced; a worker is replaced after a number of jobs too, since the
 * Automation API never closes two channels a run.
 *
 * The SIGINT goes to the CLI alone, by way of its worker: sent to the group, it would end the warm
 * providers in the middle of what the CLI waits for.
 */
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config.ts';
import type { Logger } from '../lib/logger.ts';
import { deadlines } from './deadlines.ts';
import type {
  FromWorker,
  Job,
  Phase,
  RunFailure,
  StackOutputs,
  WorkerSettings,
} from './messages.ts';
import { endWorkerFolder, makeWorkerFolder } from './worker-folders.ts';
import { endWorker, forkWorker, killGroup } from './worker-process.ts';

const ownWorkerFile = fileURLToPath(new URL('./worker.ts', import.meta.url));
const jobsPerWorker = 50;
const respawnDelayMs = 1_000;
const aliveIntervalMs = 2_000;

const stopping: RunFailure = { diagnostics: ['the service is stopping'], timedOut: false };

/** Thrown by `run`: what Pulumi said. Not for users. */
export class RunError extends Error {
  readonly failure: RunFailure;
  constructor(failure: RunFailure) {
    super('a stack run failed');
    this.name = 'RunError';
    this.failure = failure;
  }
}

export interface JobResult {
  readonly outputs: StackOutputs;
  /** Milliseconds from the job's start to each phase's. */
  readonly timingsMs: Record<string, number>;
}

export interface JobWatch {
  /** Interrupts the job. */
  readonly signal?: AbortSignal;
  /** Whether the job may still begin to change things; asked right before it does. */
  readonly mayBegin?: () => Promise<boolean>;
  /** Called every few seconds as long as the job waits its turn or is under its deadlines. */
  readonly onAlive?: () => void;
}

export interface WorkerPool {
  /** Runs a job on the next free worker. @throws {RunError} */
  run(job: Job, onPhase: (phase: Phase) => void, watch?: JobWatch): Promise<JobResult>;
  /** How many jobs could start at once. */
  readonly size: number;
  /** Ends the workers; a run in hand is interrupted and saves its state. */
  close(): Promise<void>;
}

interface Slot {
  child: ChildProcess;
  jobs: number;
}

interface Waiting {
  resolve(slot: Slot): void;
  reject(error: RunError): void;
}

/** Forks the workers at once, so that the first job finds them warm. */
export function createWorkerPool(
  config: Config,
  settings: WorkerSettings,
  logger: Logger,
  workerFile: string = ownWorkerFile,
): WorkerPool {
  const free: Slot[] = [];
  const waiting: Waiting[] = [];
  const children = new Set<ChildProcess>();
  let closed = false;

  const start = (): Slot => {
    const folder = makeWorkerFolder(config.dataDir);
    const child = forkWorker(workerFile, config, settings, folder);
    children.add(child);
    // A message to one that has just died; its end is told by 'exit', or by the answer that does not come.
    child.on('error', (error) => logger.warn({ err: error }, 'a worker could not be told'));
    child.once('exit', (code, signal) => {
      children.delete(child);
      // However it ended, nothing it started (providers, a CLI run) may outlive it.
      killGroup(child);
      endWorkerFolder(folder);
      const index = free.findIndex((slot) => slot.child === child);
      if (index >= 0) free.splice(index, 1);
      if (closed) return;
      logger.warn({ code, signal }, 'a provisioning worker ended');
      // One that ends while idle may have ended at its start: not at once again, or it would spin.
      if (index >= 0) setTimeout(() => closed || give(start()), respawnDelayMs);
    });
    return { child, jobs: 0 };
  };
  const give = (slot: Slot): void => {
    const next = waiting.shift();
    if (next) next.resolve(slot);
    else free.push(slot);
  };
  const take = (): Promise<Slot> => {
    if (closed) return Promise.reject(new RunError(stopping));
    const slot = free.shift();
    if (slot) return Promise.resolve(slot);
    return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
  };
  const takeBack = (slot: Slot): void => {
    if (closed) return;
    const usable = slot.child.connected && slot.jobs < jobsPerWorker;
    if (!usable) void endWorker(slot.child, deadlines.interruptGraceMs);
    give(usable ? slot : start());
  };
  for (let index = 0; index < config.workers; index += 1) free.push(start());

  return {
    size: config.workers,
    async run(job, onPhase, watch = {}) {
      const alive = setInterval(() => watch.onAlive?.(), aliveIntervalMs);
      try {
        const slot = await take();
        slot.jobs += 1;
        try {
          // A signal that came while the job waited fires no event any more.
          watch.signal?.throwIfAborted();
          return await runOn(slot.child, job, onPhase, watch);
        } finally {
          takeBack(slot);
        }
      } finally {
        clearInterval(alive);
      }
    },
    async close() {
      closed = true;
      for (const { reject } of waiting.splice(0)) reject(new RunError(stopping));
      await Promise.all([...children].map((child) => endWorker(child, deadlines.farewellGraceMs)));
    },
  };
}

function runOn(
  child: ChildProcess,
  job: Job,
  onPhase: (phase: Phase) => void,
  { signal, mayBegin }: JobWatch,
): Promise<JobResult> {
  return new Promise((resolve, reject) => {
    const fail = (failure: RunFailure): void => end(() => reject(new RunError(failure)));
    const onMessage = (message: FromWorker): void => {
      if (message.type === 'phase') onPhase(message.phase);
      if (message.type === 'phase') awaitSign(deadlines.silenceMs);
      if (message.type === 'progress') awaitSign(message.silenceMs);
      // To answer may take a run of the CLI.
      if (message.type === 'ask') awaitSign(deadlines.silenceMs);
      if (message.type === 'ask') void answer(child, mayBegin);
      if (message.type === 'done') end(() => resolve(message));
      if (message.type === 'failed') fail(message.failure);
    };
    const onExit = (): void => {
      fail({ diagnostics: ['the provisioning worker ended during the run'], timedOut: false });
    };
    const stop = (reason: string, timedOut: boolean): void => {
      void endWorker(child, deadlines.interruptGraceMs);
      fail({ diagnostics: [reason], timedOut });
    };
    const { runMs } = deadlines;
    const whole = setTimeout(() => stop(`no end within ${runMs} ms`, true), runMs);
    let silence: NodeJS.Timeout | undefined;
    const awaitSign = (ms: number): void => {
      clearTimeout(silence);
      silence = setTimeout(() => stop(`no sign of progress for ${ms} ms`, true), ms);
    };
    const onAbort = (): void => stop('the lease was lost', false);
    signal?.addEventListener('abort', onAbort);
    const end = (settle: () => void): void => {
      clearTimeout(whole);
      clearTimeout(silence);
      signal?.removeEventListener('abort', onAbort);
      child.off('message', onMessage);
      child.off('exit', onExit);
      settle();
    };
    child.on('message', onMessage);
    child.once('exit', onExit);
    awaitSign(deadlines.silenceMs);
    child.send({ type: 'job', job }, (error) => {
      if (error) onExit();
    });
  });
}

/** Tells the worker whether its run may begin; a worker that is not told does not begin. */
async function answer(child: ChildProcess, mayBegin: JobWatch['mayBegin']): Promise<void> {
  const isGiven = mayBegin ? await mayBegin().catch(() => false) : true;
  if (child.connected) child.send({ type: 'leave', isGiven });
}
