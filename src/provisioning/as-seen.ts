/**
 * A run begins only on what was seen before it: on the state that `adopt` looked at, and on the configuration
 * that its values build on. An operator's run or setting may come in between.
 */
import { AppError } from '../lib/errors.ts';
import type { Instance } from '../store/entities/instance.ts';
import type { WorkerSettings } from './messages.ts';
import type { StackStates } from './operators/stack-state.ts';
import { printStackConfig } from './stack-config.ts';

export interface StackSight {
  /** The print of the stack's configuration; undefined where it may be any. */
  readonly configSeen?: string;
  /** Whether the stack's state is as it was. */
  readonly isAsSeen: () => Promise<boolean>;
}

/** To be asked before the look at the state itself. Of an instance that has never run, all is the service's own. */
export async function rememberStack(
  { states, settings }: { states: StackStates; settings: WorkerSettings },
  { id, nodeHost }: Pick<Instance, 'id' | 'nodeHost'>,
): Promise<StackSight> {
  if (nodeHost === null) return { isAsSeen: async () => true };
  const configSeen = printStackConfig(settings.stacksDir, id);
  return { configSeen, isAsSeen: await states.rememberState(id) };
}

/**
 * Does `run`, which asks what it is given before it changes things; once begun, changes are its own.
 * @throws {AppError} `stack_locked` where the state was written since, so that the next try adopts it.
 */
export async function runAsSeen<T>(
  { isAsSeen }: StackSight,
  holdsLease: () => Promise<boolean>,
  run: (mayBegin: () => Promise<boolean>) => Promise<T>,
): Promise<T> {
  let isSeen: boolean | undefined;
  const mayBegin = async (): Promise<boolean> => {
    isSeen ||= await isAsSeen();
    return isSeen && (await holdsLease());
  };
  try {
    return await run(mayBegin);
  } catch (error) {
    if (isSeen === false) throw new AppError('stack_locked');
    throw error;
  }
}
