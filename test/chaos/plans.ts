/**
 * Fault plans: which step of which instance's operation breaks, and how.
 *
 * A plan is a file in the data directory, named by the instance; the faulty service and its faulty workers
 * read it at every step, production never does. Its faults come one after another, each once, also when
 * the process that makes it dies of it: what was made is noted before it is made. Every step that begins
 * or ends is noted too, so that a test can tell that the very step it aimed at was reached and broke.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Step } from '../../src/provisioning/step-hooks.ts';

export type Action =
  | 'throw'
  | 'hang'
  | 'kill service'
  | 'kill worker'
  | 'kill CLI'
  | 'kill providers';

export interface PlannedFault {
  readonly step: Step;
  readonly when: 'before' | 'after';
  readonly action: Action;
}

/** One line of what happened to an instance. */
export interface Trace {
  readonly step: Step;
  readonly when: 'before' | 'after';
  readonly pid: number;
  readonly atMs: number;
  /** Where this line says that a fault was made, not that a step was reached. */
  readonly action?: Action;
}

const folderOf = (dataDir: string): string => join(dataDir, 'chaos');
const planOf = (dataDir: string, instance: string): string =>
  join(folderOf(dataDir), `${instance}.json`);
const traceOf = (dataDir: string, instance: string): string =>
  join(folderOf(dataDir), `${instance}.trace`);

/** Says what is to break from now on; forgets what was noted before. */
export function planFaults(
  dataDir: string,
  instance: string,
  faults: readonly PlannedFault[],
): void {
  mkdirSync(folderOf(dataDir), { recursive: true });
  writeFileSync(traceOf(dataDir, instance), '');
  writeFileSync(planOf(dataDir, instance), JSON.stringify(faults));
}

/** Whether anything was planned for an instance, be it that nothing is to break. */
export function hasPlan(dataDir: string, instance: string): boolean {
  return existsSync(planOf(dataDir, instance));
}

/** Everything noted of an instance since its latest plan. */
export function readTraces(dataDir: string, instance: string): Trace[] {
  try {
    const lines = readFileSync(traceOf(dataDir, instance), 'utf8').split('\n');
    return lines.filter(Boolean).map((line) => JSON.parse(line) as Trace);
  } catch {
    return [];
  }
}

/** Notes a step, and gives the action that is planned for it, if it is the next fault's turn. */
export function reachStep(
  dataDir: string,
  instance: string,
  step: Step,
  when: PlannedFault['when'],
): Action | undefined {
  if (!hasPlan(dataDir, instance)) return undefined;
  const note = (action?: Action): void => {
    const trace: Trace = {
      step,
      when,
      pid: process.pid,
      atMs: Date.now(),
      ...(action && { action }),
    };
    appendFileSync(traceOf(dataDir, instance), `${JSON.stringify(trace)}\n`);
  };
  const plan = JSON.parse(readFileSync(planOf(dataDir, instance), 'utf8')) as PlannedFault[];
  const made = readTraces(dataDir, instance).filter(({ action }) => action).length;
  note();
  const next = plan[made];
  if (next?.step !== step || next.when !== when) return undefined;
  note(next.action);
  return next.action;
}
