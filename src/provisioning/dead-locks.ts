/**
 * Locks of dead owners in backends that keep their locks to themselves (PostgreSQL, S3 and its like).
 *
 * There, who holds a stack is only told by the refusal of a run: `created by USER@HOST (pid 1234) at …`.
 * Guarantee: a lock is cancelled only where every owner named is of this host and dead at that moment. One that
 * lives is not waited for here: what it does to the stack is to be looked at before the next try, and its lock
 * may be followed by another of the same operator's. One of another host is left to whoever knows that host.
 */
import { deadlines } from './deadlines.ts';
import { type Engine, openStack, openWorkspace, type RunOptions } from './engine.ts';
import { isAlive, type LockOwner } from './stack-locks.ts';

/** Does `work`, and once more where a dead owner's lock was in its way. @throws what `work` throws. */
export async function pastDeadLocks<T>(
  engine: Engine,
  stack: string,
  run: Pick<RunOptions, 'askLeave' | 'onProgress'>,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const owners = readLockOwners(error instanceof Error ? error.message : String(error));
    run.onProgress(deadlines.silenceMs);
    if (owners.length === 0 || owners.some(isAlive)) throw error;
    await run.askLeave();
    const locked = await openStack(await openWorkspace(engine), stack);
    await locked.cancel();
    return await work();
  }
}

/** The owners that a refusal names; none where it is about something else. */
export function readLockOwners(text: string): LockOwner[] {
  if (!text.includes('the stack is currently locked by')) return [];
  const named = text.matchAll(/: created by \S+@(\S+) \(pid (\d+)\) at /g);
  return [...named].map(([, hostname = '', pid]) => ({ hostname, pid: Number(pid) }));
}
