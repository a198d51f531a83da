/**
 * The pool of provisioning workers: forks them, keeps them warm, gives each one job at a time.
 *
 * Guarantees: a job ends: with an answer, or after `jobTimeoutMs` by SIGINT to the CLI's group and, if
 * that is not heard, SIGKILL to all of it; a worker that died or was ended is replaced; a worker is
 * replaced after a number of jobs too, since the Automation API never closes two channels a run.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config.ts';
import type { Logger } from '../lib/logger.ts';
import type {
  FromWorker,
  Job,
  Phase,
  RunFailure,
  StackOutputs,
  WorkerSettings,
} from './messages.ts';

const workerFile = fileURLToPath(new URL('./worker.ts', import.meta.url));
const jobTimeoutMs = 120_000;
const killGraceMs = 15_000;
const jobsPerWorker = 50;
const respawnDelayMs = 1_000;

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

export interface WorkerPool {
  /** Runs a job on the next free worker; `signal` interrupts it. @throws {RunError} */
  run(job: Job, onPhase: (phase: Phase) => void, signal?: AbortSignal): Promise<JobResult>;
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
): WorkerPool {
  const free: Slot[] = [];
  const waiting: Waiting[] = [];
  const children = new Set<ChildProcess>();
  let closed = false;

  const start = (): Slot => {
    const child = forkWorker(config, settings);
    children.add(child);
    child.once('exit', (code, signal) => {
      children.delete(child);
      // However it ended, nothing it started (providers, a CLI run) may outlive it.
      killGroup(child);
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
    if (!usable) slot.child.disconnect?.();
    give(usable ? slot : start());
  };
  for (let index = 0; index < config.workers; index += 1) free.push(start());

  return {
    size: config.workers,
    async run(job, onPhase, signal) {
      const slot = await take();
      slot.jobs += 1;
      try {
        // A signal that came while the job waited fires no event any more.
        signal?.throwIfAborted();
        return await runOn(slot.child, job, onPhase, signal);
      } finally {
        takeBack(slot);
      }
    },
    async close() {
      closed = true;
      for (const { reject } of waiting.splice(0)) reject(new RunError(stopping));
      await Promise.all([...children].map(endWorker));
    },
  };
}

function forkWorker(config: Config, settings: WorkerSettings): ChildProcess {
  const child = fork(workerFile, [], {
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: [],
    env: {
      PATH: [settings.pulumiBinDir, dirnameOfNode(), config.path].join(':'),
      HOME: config.home,
      PULUMI_HOME: settings.pulumiHome,
      PULUMI_SKIP_UPDATE_CHECK: 'true',
      DOCKER_HOST: settings.dockerHost,
    },
  });
  yieldToRequests(child);
  child.send({ type: 'settings', settings });
  return child;
}

/** Runs are long and heavy, answers short: where both want the processor, answers come first. */
function yieldToRequests({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    // It ended at once, or this system lets nobody: then both have the same share.
  }
}

/** The provider plugin's script asks PATH for node; it must be the one that runs the service. */
function dirnameOfNode(): string {
  return process.execPath.slice(0, process.execPath.lastIndexOf('/'));
}

function runOn(
  child: ChildProcess,
  job: Job,
  onPhase: (phase: Phase) => void,
  signal: AbortSignal | undefined,
): Promise<JobResult> {
  return new Promise((resolve, reject) => {
    const fail = (failure: RunFailure): void => end(() => reject(new RunError(failure)));
    const onMessage = (message: FromWorker): void => {
      if (message.type === 'phase') onPhase(message.phase);
      if (message.type === 'done') end(() => resolve(message));
      if (message.type === 'failed') fail(message.failure);
    };
    const onExit = (): void => {
      fail({ diagnostics: ['the provisioning worker ended during the run'], timedOut: false });
    };
    const stop = (reason: string, timedOut: boolean): void => {
      void endWorker(child);
      fail({ diagnostics: [reason], timedOut });
    };
    const timer = setTimeout(() => stop(`no end within ${jobTimeoutMs} ms`, true), jobTimeoutMs);
    const onAbort = (): void => stop('the lease was lost', false);
    signal?.addEventListener('abort', onAbort);
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      child.off('message', onMessage);
      child.off('exit', onExit);
      settle();
    };
    child.on('message', onMessage);
    child.once('exit', onExit);
    child.send({ type: 'job', job }, (error) => {
      if (error) onExit();
    });
  });
}

/** Cuts the channel (the worker then interrupts its run and ends), and kills the group if it stays. */
async function endWorker(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  if (child.connected) child.disconnect();
  const timer = setTimeout(() => killGroup(child), killGraceMs);
  await exited;
  clearTimeout(timer);
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The group ended between the look and the signal.
  }
}
