/**
 * The provisioning worker: a forked process that runs one stack job after another.
 *
 * Guarantees: it sees an allow-listed environment, no database and no master key; it runs one job at a
 * time; when the service that forked it is gone, it interrupts the run in hand, so that Pulumi saves its
 * state and gives its lock back, and ends with its warm providers. It leads a process group of its own,
 * so that the service can end it with everything it started.
 */
import { applyStack, createEngine, destroyStack, type Engine, type RunOptions } from './engine.ts';
import type {
  FromWorker,
  Job,
  RunFailure,
  StackOutputs,
  ToWorker,
  WorkerSettings,
} from './messages.ts';
import { previewStack } from './preview-stack.ts';
import { recoverStack } from './recovery.ts';
import { startWarmProviders, type WarmProviders } from './warm-providers.ts';

/** After the parent's end: how long an interrupted run may take to save its state. */
const orphanGraceMs = 20_000;

interface Worker {
  readonly engine: Engine;
  readonly providers: WarmProviders;
}

let worker: Promise<Worker> | undefined;
let running: AbortController | undefined;

process.on('message', (message: ToWorker) => {
  if (message.type === 'settings') worker = start(message.settings);
  else void runJob(message.job);
});
process.on('disconnect', () => void endOrphan());

async function start(settings: WorkerSettings): Promise<Worker> {
  const providers = await startWarmProviders(settings);
  const engine = await createEngine(settings, providers);
  tell({ type: 'ready' });
  return { engine, providers };
}

async function runJob(job: Job): Promise<void> {
  const diagnostics: string[] = [];
  const startedMs = performance.now();
  const timingsMs: Record<string, number> = {};
  running = new AbortController();
  const run: RunOptions = {
    signal: running.signal,
    onDiagnostic: (message) => diagnostics.push(message),
    onPhase: (phase) => {
      timingsMs[phase] ??= Math.round(performance.now() - startedMs);
      tell({ type: 'phase', phase });
    },
  };
  try {
    if (!worker) throw new Error('the worker was given a job before its settings');
    const { engine } = await worker;
    const outputs = await perform(engine, job, run);
    tell({ type: 'done', outputs, timingsMs });
  } catch (error) {
    tell({ type: 'failed', failure: describeFailure(error, diagnostics) });
  } finally {
    running = undefined;
  }
}

async function perform(engine: Engine, job: Job, run: RunOptions): Promise<StackOutputs> {
  if (job.recover) {
    run.onPhase('recover');
    await recoverStack(engine, job.stack, job.hasData);
  }
  if (job.kind === 'apply')
    return await applyStack(engine, job.stack, job.values, { ...run, fresh: job.fresh });
  if (job.kind === 'preview') {
    return { changes: await previewStack(engine, job.stack, job.values, run) };
  }
  await destroyStack(engine, job.stack, run);
  return {};
}

function describeFailure(error: unknown, diagnostics: readonly string[]): RunFailure {
  const text = error instanceof Error ? error.message : String(error);
  return { diagnostics: [...diagnostics, text], timedOut: false };
}

async function endOrphan(): Promise<void> {
  setTimeout(() => process.exit(1), orphanGraceMs).unref();
  running?.abort();
  while (running) await new Promise((resolve) => setTimeout(resolve, 50));
  await endNow();
}

async function endNow(): Promise<void> {
  (await worker?.catch(() => undefined))?.providers.stop();
  process.exit(0);
}

function tell(message: FromWorker): void {
  if (process.connected) process.send?.(message);
}
