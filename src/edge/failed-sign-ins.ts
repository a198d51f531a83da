/**
 * Slows and then refuses whoever keeps trying wrong keys, by address.
 *
 * Guarantees: what is kept is bounded (a count an address, forgotten every minute, and all at once where
 * there are too many); an address that has failed little is never slowed. It counts in this process.
 */
import { networkOf } from '../lib/network.ts';

const windowMs = 60_000;
const addressesMax = 50_000;
const stepMs = 100;
const delayMsMax = 2_000;

export interface FailedSignInLimits {
  /** Failures a minute after which each further answer to one comes later than the one before. */
  readonly failuresBeforeSlow: number;
  /** Failures a minute after which nothing is checked any more until it is over. */
  readonly failuresMax: number;
}

export interface FailedSignIns {
  /** Seconds until an address may try again; 0: at once. */
  readRefusedS(address: string): number;
  /** Counts a failure. @returns how many milliseconds its answer is to wait. */
  note(address: string): number;
}

export function createFailedSignIns(
  limits: FailedSignInLimits,
  now: () => number = () => performance.now(),
): FailedSignIns {
  const counts = new Map<string, number>();
  let endMs = 0;

  function renew(): void {
    if (now() < endMs && counts.size < addressesMax) return;
    if (now() >= endMs) endMs = now() + windowMs;
    counts.clear();
  }

  return {
    readRefusedS(address) {
      renew();
      if (counts.size === 0) return 0;
      const count = counts.get(networkOf(address)) ?? 0;
      return count >= limits.failuresMax ? Math.max(1, Math.ceil((endMs - now()) / 1_000)) : 0;
    },
    note(address) {
      renew();
      const network = networkOf(address);
      const count = (counts.get(network) ?? 0) + 1;
      counts.set(network, count);
      return Math.min(delayMsMax, Math.max(0, count - limits.failuresBeforeSlow) * stepMs);
    },
  };
}
