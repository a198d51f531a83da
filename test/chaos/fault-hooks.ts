/** Hooks that make planned faults, for the faulty service and its faulty workers. */
import { readFileSync } from 'node:fs';
import { pollUntil } from '../../src/lib/retry.ts';
import type { StepHooks } from '../../src/provisioning/step-hooks.ts';
import { listProcesses, withDescendants } from '../support/processes.ts';
import { type Action, hasPlan, type PlannedFault, reachStep } from './plans.ts';

/** Between the answer to a create and the test's plan for it. */
const planWaitMs = 20_000;
/** These are the engine's, told by its events: only what stops its processes makes them hang. */
const engineSteps = new Set<string>(['volume', 'container', 'settings']);

interface Place {
  readonly role: 'service' | 'worker';
  /** Known to a worker once it has its settings. */
  readonly dataDir: () => string;
}

export function createFaultHooks(place: Place): StepHooks {
  const reach =
    (when: PlannedFault['when']): StepHooks['before'] =>
    async (step, stack) => {
      if (!stack.startsWith('inst_')) return;
      const dataDir = place.dataDir();
      if (place.role === 'service') await awaitPlan(dataDir, stack);
      const action = reachStep(dataDir, stack, step, when);
      if (!action) return;
      const text = `chaos: ${action} ${when} ${step}`;
      if (action === 'throw') throw new Error(text);
      if (action === 'hang') await hang(place, engineSteps.has(step));
      else for (const pid of victims(place, action)) kill(pid, 'SIGKILL');
    };
  return { before: reach('before'), after: reach('after') };
}

/** A new instance's first step may come before the test has said what is to break. */
async function awaitPlan(dataDir: string, instance: string): Promise<void> {
  const isThere = async (): Promise<true | undefined> => hasPlan(dataDir, instance) || undefined;
  await pollUntil(isThere, { timeoutMs: planWaitMs, intervalMs: 10 });
}

async function hang(place: Place, isEngine: boolean): Promise<void> {
  if (isEngine) for (const pid of victims(place, 'kill CLI')) kill(pid, 'SIGSTOP');
  else await new Promise(() => {});
}

function victims({ role }: Place, action: Action): number[] {
  const service = role === 'service' ? process.pid : process.ppid;
  if (action === 'kill service') return [service];
  if (action === 'kill worker' && role === 'worker') return [process.pid];
  const processes = listProcesses();
  if (action === 'kill worker') {
    const workers = processes.filter(({ parent }) => parent === process.pid);
    return workers.map(({ pid }) => pid).filter((pid) => commandOf(pid).includes('worker.ts'));
  }
  const pattern = action === 'kill CLI' ? /^(\S*\/)?pulumi / : /pulumi-resource-|infra\/provider/;
  const under = withDescendants(processes, [process.pid]);
  return [...under].filter((pid) => pid !== process.pid && pattern.test(`${commandOf(pid)} `));
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended by itself.
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
