/** The phases of one run in a worker: told as they begin, with the hooks of a test around them. */
import type { Phase } from './messages.ts';
import type { StepHooks } from './step-hooks.ts';

export interface Phases {
  /** Does a phase of this process's own. */
  run<T>(phase: Phase, work: () => Promise<T>): Promise<T>;
  /** Notes that the engine begins a phase. */
  begin(phase: Phase): void;
  /** Notes that the engine has ended a phase well. */
  end(phase: Phase): void;
  /** Resolves when all hooks of the engine's phases have. @throws what one of them threw. */
  settled(): Promise<void>;
}

interface PhaseOptions {
  readonly hooks: StepHooks;
  readonly stack: string;
  readonly onBegin: (phase: Phase) => void;
  /** Ends the run: the engine itself cannot be told that a phase failed. */
  readonly abort: () => void;
}

export function createPhases({ hooks, stack, onBegin, abort }: PhaseOptions): Phases {
  let chain = Promise.resolve();
  const follow = (hook: () => Promise<void>): void => {
    chain = chain.then(hook);
    chain.catch(abort);
  };
  return {
    async run(phase, work) {
      onBegin(phase);
      await hooks.before(phase, stack);
      const result = await work();
      await hooks.after(phase, stack);
      return result;
    },
    begin(phase) {
      onBegin(phase);
      follow(() => hooks.before(phase, stack));
    },
    end(phase) {
      follow(() => hooks.after(phase, stack));
    },
    settled: () => chain,
  };
}
