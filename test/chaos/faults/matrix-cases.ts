/** The cases of the step matrix, and the choice of some of them for the short form. */
import type { Step } from '../../../src/provisioning/step-hooks.ts';
import type { Action, PlannedFault } from '../plans.ts';

export type OperationKind = 'create' | 'grow' | 'shrink' | 'stop' | 'start' | 'restart' | 'delete';

export interface Case {
  readonly operation: OperationKind;
  readonly step: Step;
  readonly when: PlannedFault['when'];
  readonly action: Action;
  /** What leads to the step, and the fault at it. */
  readonly faults: readonly PlannedFault[];
  /** Whether the fault must end the try, so that another one follows. */
  readonly failsTry: boolean;
  /** Whether the step is done only where it is not done yet. */
  readonly isConditional: boolean;
}

const apply: readonly Step[] = ['region', 'stack', 'prepare', 'finish', 'outputs', 'settle'];
const stepsOf: Readonly<Record<OperationKind, readonly Step[]>> = {
  create: [...apply, 'volume', 'container', 'settings', 'access', 'recover'],
  grow: ['look', ...apply, 'container', 'settings', 'access', 'recover'],
  shrink: ['room'],
  stop: ['stop'],
  start: ['start'],
  restart: ['restart'],
  delete: ['look', 'stack', 'destroy', 'container', 'volume', 'clean', 'settle', 'recover'],
};

const workerSteps = new Set<Step>([
  'recover',
  'prepare',
  'volume',
  'container',
  'settings',
  'finish',
  'destroy',
]);
const engineSteps = new Set<Step>(['volume', 'container', 'settings']);

const conditionalSteps = new Set<Step>(['start', 'room', 'restart', 'recover', 'destroy']);

/** A step that only a second try has needs a first one that breaks off. */
const leadIn: Partial<Record<Step, PlannedFault>> = {
  recover: { step: 'stack', when: 'after', action: 'throw' },
};

function actionsAt(step: Step): Action[] {
  const always: Action[] = ['throw', 'hang', 'kill service', 'kill worker'];
  if (engineSteps.has(step)) return [...always, 'kill CLI', 'kill providers'];
  return workerSteps.has(step) || step === 'stack' ? [...always, 'kill providers'] : always;
}

function* allCases(): Generator<Case> {
  for (const [operation, steps] of Object.entries(stepsOf)) {
    for (const step of steps) {
      for (const action of actionsAt(step)) {
        for (const when of ['before', 'after'] as const) {
          yield {
            operation: operation as OperationKind,
            step,
            when,
            action,
            faults: [...(leadIn[step] ? [leadIn[step]] : []), { step, when, action }],
            failsTry: failsTry(step, action),
            isConditional: engineSteps.has(step) || conditionalSteps.has(step),
          };
        }
      }
    }
  }
}

/** Workers and providers that are not needed at the time may die without anybody noticing. */
function failsTry(step: Step, action: Action): boolean {
  if (action === 'throw' || action === 'hang' || action === 'kill service') return true;
  return action === 'kill worker' && workerSteps.has(step);
}

/** All cases, or `count` of them spread evenly; which ones, changes with the day. */
export function chooseCases(
  count: number,
  wanted = '',
  day = Math.floor(Date.now() / 86_400_000),
): { cases: Case[]; choice: string } {
  const named = new RegExp(wanted);
  const all = [...allCases()].filter((each) => named.test(nameOf(each)));
  if (count >= all.length) return { cases: all, choice: '' };
  const stride = all.length / count;
  const offset = day % Math.ceil(stride);
  const indexes = Array.from({ length: count }, (_, i) => Math.floor(i * stride + offset));
  const cases = indexes.flatMap((index) => all[index % all.length] ?? []);
  return { cases, choice: ` of ${all.length}, chosen by day ${day}` };
}

export function nameOf({ operation, action, when, step }: Case): string {
  return `${operation}, ${action} ${when} "${step}"`;
}
