/**
 * How often somebody may try: to log in, to change a password, to sign up.
 *
 * Guarantees: a try is counted before the password is looked at, so tries at once are no way around it; a
 * log-in that succeeds gives its count back; what is kept is bounded, because the limit of an address
 * comes first. It counts in this process: each of several servers has counts of its own.
 */
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { AppError } from '../lib/errors.ts';
import { networkOf } from '../lib/network.ts';

const minuteSeconds = 60;
const hourSeconds = 3_600;

export interface AccountThrottle {
  /**
   * Counts a try at somebody's password.
   * @param whom whose password it would be: an e-mail address, or a person's id.
   * @returns what to call when the password was right.
   * @throws {AppError} `rate_limited` with Retry-After.
   */
  tryPassword(whom: string, ip: string | null): Promise<() => Promise<void>>;
  /** Counts a sign-up. @throws {AppError} `rate_limited` with Retry-After. */
  trySignUp(ip: string | null): Promise<void>;
}

/** Makes the counts of one service. */
export function createAccountThrottle(): AccountThrottle {
  // Five wrong tries, then it is slow; twenty, then it is an hour. The third stops whoever goes through
  // many people's addresses with one password.
  const fast = new RateLimiterMemory({ points: 5, duration: minuteSeconds });
  const slow = new RateLimiterMemory({ points: 20, duration: hourSeconds });
  const ofAddress = new RateLimiterMemory({ points: 100, duration: hourSeconds });
  const signUps = new RateLimiterMemory({ points: 30, duration: hourSeconds });
  return {
    async tryPassword(whom, ip) {
      const from = networkOf(ip);
      const pair = `${whom} ${from}`;
      await look(ofAddress, from);
      await consume(fast, pair);
      await consume(slow, pair);
      await consume(ofAddress, from);
      return async () => {
        await Promise.all([fast.delete(pair), slow.delete(pair), ofAddress.reward(from)]);
      };
    },
    async trySignUp(ip) {
      await consume(signUps, networkOf(ip));
    },
  };
}

async function consume(limiter: RateLimiterMemory, key: string): Promise<void> {
  try {
    await limiter.consume(key);
  } catch (refusal) {
    if (refusal instanceof RateLimiterRes) refuse(refusal);
    throw refusal;
  }
}

/** Refuses without counting, so that what another limit refuses is not counted for everybody behind a router. */
async function look(limiter: RateLimiterMemory, key: string): Promise<void> {
  const count = await limiter.get(key);
  if (count && count.consumedPoints >= limiter.points) refuse(count);
}

function refuse({ msBeforeNext }: RateLimiterRes): never {
  const seconds = Math.max(1, Math.ceil(msBeforeNext / 1_000));
  const headers = { 'Retry-After': String(seconds) };
  throw new AppError('rate_limited', `Too many tries; try again in ${seconds} s.`, { headers });
}
