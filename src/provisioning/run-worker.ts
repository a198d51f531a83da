/**
 * The provisioning worker: a forked process that runs one stack job after another.
 *
 * Guarantees: it sees an allow-listed environment, no database and no master key; it runs one job at a
 * time; when the service that forked it is gone, it interrupts the run in hand, so that Pulumi saves its
 * state and gives its lock back, and ends with its warm providers, at the latest after `orphanGraceMs`. It
 * leads a process group of its own, so that the service, or it itself, can end it with all it started. It
 * asks its parent right before it begins to change things: one whose lease was lost does not begin.
 */
import { hasCheckpoint, isTorn } from './checkpoints.ts';
import { pastDeadLocks } from './dead-locks.ts';
import { deadlines } from './deadlines.ts';
import { applyStack, createEngine, destroyStack, type Engine, type RunOptions } from './engine.ts';
import { stateFolder } from './file-backend.ts';
import type {
  FromWorker,
  Job,
  RunFailure,
  StackOutputs,
  ToWorker,
  WorkerSettings,
} from './messages.ts';
import { createPhases } from './phases.ts';
import { previewStack } from './preview-stack.ts';
import { awaitLockOwner, forgetStack, recoverStack } from './recovery.ts';
import { noHooks, type StepHooks } from './step-hooks.ts';
import { startWarmProviders, type WarmProviders } from './warm-providers.ts';

interface Worker {
  readonly engine: Engine;
  readonly providers: WarmProviders;
}

/** Serves the parent's jobs until it is gone. Called once in a process; `hooks` are for tests. */
export function runWorker({ hooks = noHooks }: { hooks?: StepHooks } = {}): void {
  let worker: Promise<Worker> | undefined;
  let running: AbortController | undefined;
  /** Whether the run is in a command of Pulumi that had leave: it holds the stack's lock, so nobody is beside it. */
  let hasLeave = false;
  let takeLeave: ((isGiven: boolean) => void) | undefined;
  process.umask(0o077);

  const runJob = async (job: Job): Promise<void> => {
    const diagnostics: string[] = [];
    const controller = new AbortController();
    running = controller;
    hasLeave = false;
    const startedMs = performance.now();
    const timingsMs: Record<string, number> = {};
    let isRecovering = false;
    const phases = createPhases({
      hooks,
      stack: job.stack,
      onBegin(phase) {
        isRecovering = phase === 'recover';
        timingsMs[phase] ??= Math.round(performance.now() - startedMs);
        tell({ type: 'phase', phase });
      },
      abort: () => controller.abort(),
    });
    const run: RunOptions = {
      signal: controller.signal,
      onDiagnostic: (message) => diagnostics.push(message),
      onProgress: (silenceMs) => tell({ type: 'progress', silenceMs }),
      phases,
      async askLeave() {
        controller.signal.throwIfAborted();
        hasLeave = false;
        const { promise, resolve, reject } = Promise.withResolvers<void>();
        takeLeave = (isGiven) => (isGiven ? resolve() : reject(new Error('the lease was lost')));
        controller.signal.addEventListener('abort', () => reject(new Error('interrupted')));
        tell({ type: 'ask' });
        if (!process.connected) takeLeave(false);
        await promise;
        // The Automation API does not look at a signal that came before its command.
        controller.signal.throwIfAborted();
        hasLeave = !isRecovering;
      },
    };
    try {
      if (!worker) throw new Error('the worker was given a job before its settings');
      const { engine } = await worker;
      const work = (): Promise<StackOutputs> => perform(engine, job, run);
      const outputs = await pastDeadLocks(engine, job.stack, run, work);
      await phases.settled();
      tell({ type: 'done', outputs, timingsMs });
    } catch (error) {
      const cause = await phases.settled().then(
        () => error,
        (hookError: unknown) => hookError,
      );
      tell({ type: 'failed', failure: describeFailure(cause, diagnostics) });
    } finally {
      running = undefined;
    }
  };
  /** What has begun to change things is left to end by itself: whoever is next then finds it done. */
  const endOrphan = async (): Promise<void> => {
    setTimeout(() => process.kill(-process.pid, 'SIGKILL'), deadlines.orphanGraceMs).unref();
    setTimeout(() => running?.abort(), hasLeave ? deadlines.orphanFinishMs : 0).unref();
    takeLeave?.(false);
    while (running) await new Promise((resolve) => setTimeout(resolve, 50));
    (await worker?.catch(() => undefined))?.providers.stop();
    process.exit(0);
  };

  process.on('message', (message: ToWorker) => {
    if (message.type === 'settings') worker = start(message.settings);
    if (message.type === 'job') void runJob(message.job);
    if (message.type === 'leave') takeLeave?.(message.isGiven);
  });
  process.on('disconnect', () => void endOrphan());
}

async function start(settings: WorkerSettings): Promise<Worker> {
  const providers = await startWarmProviders(settings);
  const engine = await createEngine(settings, providers);
  tell({ type: 'ready' });
  return { engine, providers };
}

async function perform(engine: Engine, job: Job, run: RunOptions): Promise<StackOutputs> {
  if (job.kind === 'destroy' && job.forget) {
    await run.phases.run('destroy', () => forgetStack(engine, job.stack, run));
    return {};
  }
  const mustRecover = needsRecovery(engine, job);
  if (mustRecover) await awaitLockOwner(engine, job.stack, run);
  const adoption = mustRecover
    ? await run.phases.run('recover', () => recoverStack(engine, job, run))
    : {};
  if (job.kind === 'apply') {
    return await applyStack(engine, job, { ...run, adoption });
  }
  if (job.kind === 'preview') {
    return { changes: await previewStack(engine, job.stack, job.values, run) };
  }
  await destroyStack(engine, job.stack, run);
  return {};
}

/** Also where nobody knows of a try before this one: the state itself shows that it cannot be used. */
function needsRecovery({ settings }: Engine, job: Job): boolean {
  if (job.kind === 'preview') return false;
  const folder = stateFolder(settings.backendUrl);
  const isLost = folder !== undefined && job.hasData && !hasCheckpoint(folder, job.stack);
  return job.recover || isLost || (folder !== undefined && isTorn(folder, job.stack));
}

function describeFailure(error: unknown, diagnostics: readonly string[]): RunFailure {
  const text = error instanceof Error ? error.message : String(error);
  return { diagnostics: [...diagnostics, text], timedOut: false };
}

function tell(message: FromWorker): void {
  if (process.connected) process.send?.(message);
}
