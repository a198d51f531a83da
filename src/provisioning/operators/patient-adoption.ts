/**
 * Asking for adoption where an answer is needed: before a difference is called drift.
 *
 * Guarantee: a state that cannot be read (its backend does not answer, a broken run left it half-way) holds up
 * the watch over an instance for a few looks, not for ever; then the instance is judged by its row alone. A
 * stack that somebody works on is waited for as long as that takes.
 */
import type { Logger } from '../../lib/logger.ts';
import type { Adoption } from './adoption.ts';

/** So many looks in succession find nothing to read. */
export const unreadLooksMax = 3;
/** And for so long: a run of an operator shows in no other way in some backends. */
export const unreadForMs = 20_000;

/** What was not readable, since when. */
interface Unread {
  readonly sinceMs: number;
  readonly looks: number;
}

/** What it says: a state that nobody can read is waited for, and then left out of account. */
export type PatientAdoption = Exclude<Adoption, 'unreadable'>;

type Ask = (instanceId: string) => Promise<Adoption>;

/** Wraps `adoptFromStack`: gives `unchanged` in the end where it only ever gives `unreadable` or throws. */
export function createPatientAdoption(
  ask: Ask,
  { logger }: { logger: Logger },
  nowMs: () => number = () => performance.now(),
): (instanceId: string) => Promise<PatientAdoption> {
  const unread = new Map<string, Unread>();
  return async (instanceId) => {
    const adoption = await ask(instanceId).catch((error: unknown) => {
      logger.warn({ err: error, instanceId }, "a stack's state could not be read");
      return 'unreadable' as const;
    });
    if (adoption !== 'unreadable') {
      unread.delete(instanceId);
      return adoption;
    }
    const { sinceMs, looks } = unread.get(instanceId) ?? { sinceMs: nowMs(), looks: 0 };
    unread.set(instanceId, { sinceMs, looks: looks + 1 });
    if (looks + 1 < unreadLooksMax || nowMs() - sinceMs < unreadForMs) return 'busy';
    logger.warn({ instanceId }, "an instance is judged without its stack's state");
    return 'unchanged';
  };
}
