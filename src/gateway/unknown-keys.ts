/**
 * How often one place on the network may make the gateway ask for keys that open nothing.
 *
 * Whether a key opens an instance is remembered for a second at most, and a "no" not at all, so each wrong
 * key would be a question to the database. Those of an address (of a /64, where it is IPv6) are counted:
 *
 * within the bound → (30 wrong ones in 10 s) → over it: keys that were good here of late are looked up as
 * ever; of others five a second, and one a second that was found wrong before; the rest is a 429 that asks
 * nobody → (10 s after the first of them) → within the bound.
 *
 * Guarantees: whoever shares an address with a bad client keeps what already worked, and a new key comes
 * through within moments; the few look-ups that an address has under way at once pass the bound by their own
 * number at most; memory is bounded, whatever is sent: addresses share a fixed number of buckets, chosen by a
 * hash that nobody outside can predict. It counts in this process: each gateway process has counts of its
 * own, and asks for so many.
 */
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { AppError } from '../lib/errors.ts';
import { createNetworkBuckets } from '../lib/network.ts';
import { createRecent } from '../lib/recent.ts';
import { createTurns } from '../lib/turns.ts';

export interface UnknownKeysBounds {
  /** Wrong keys of one address within `windowS`, after which it is over the bound. */
  readonly wrongMax: number;
  /** In seconds. */
  readonly windowS: number;
  /** Look-ups a second that an address over the bound has left for keys not seen before. */
  readonly triesPerSecond: number;
  /** Look-ups at once of keys that one address has not used before. */
  readonly runningMax: number;
  /** Those that wait for one under way. */
  readonly waitingMax: number;
}

const defaultBounds: UnknownKeysBounds = {
  wrongMax: 30,
  windowS: 10,
  triesPerSecond: 5,
  runningMax: 8,
  waitingMax: 1_000,
};

const waysKept = 10_000;

export interface UnknownKeys {
  /**
   * Runs a look-up where the address may still ask for one, and counts it where it finds nothing.
   * @param way names the key and what it is to open; never the key itself.
   * @param isGood whether it opens that.
   * @throws {AppError} `rate_limited` with Retry-After, and what `lookUp` throws, which counts nothing.
   */
  guard<Found>(
    address: string,
    way: string,
    lookUp: () => Promise<Found>,
    isGood: (found: Found) => boolean,
  ): Promise<Found>;
}

/** Makes the counts of one process. */
export function createUnknownKeys(bounds: UnknownKeysBounds = defaultBounds): UnknownKeys {
  const { wrongMax, windowS, triesPerSecond } = bounds;
  const bucketOf = createNetworkBuckets();
  const wrong = new RateLimiterMemory({ points: wrongMax, duration: windowS });
  const newTries = new RateLimiterMemory({ points: triesPerSecond, duration: 1 });
  const repeatedTries = new RateLimiterMemory({ points: 1, duration: 1 });
  const goodWays = createRecent(waysKept);
  const wrongWays = createRecent(waysKept);
  const takeTurn = createTurnsByName(bounds);

  /** @throws {AppError} `rate_limited` where the bucket has been wrong too often and has no try left. */
  async function requireTry(bucket: string, way: string): Promise<void> {
    const counted = await wrong.get(bucket);
    if (!counted || counted.consumedPoints < wrongMax) return;
    // Kept apart, so that a client that repeats one wrong key leaves the new ones their tries.
    const tries = wrongWays.has(way) ? repeatedTries : newTries;
    try {
      await tries.consume(bucket);
    } catch (refusal) {
      throw refusal instanceof RateLimiterRes ? tooManyWrong() : refusal;
    }
  }

  return {
    async guard(address, way, lookUp, isGood) {
      const bucket = bucketOf(address);
      const found = goodWays.has(way)
        ? await lookUp()
        : await takeTurn(bucket, async () => {
            await requireTry(bucket, way);
            return await lookUp();
          });
      if (isGood(found)) {
        goodWays.add(way);
        wrongWays.delete(way);
      } else {
        goodWays.delete(way);
        wrongWays.add(way);
        await wrong.penalty(bucket);
      }
      return found;
    },
  };
}

type Turns = ReturnType<typeof createTurns>;

/** Turns for each name; those that nobody takes any more are forgotten. */
function createTurnsByName({
  runningMax,
  waitingMax,
}: UnknownKeysBounds): <Result>(name: string, work: () => Promise<Result>) => Promise<Result> {
  const queues = new Map<string, { readonly take: Turns; users: number }>();
  return async (name, work) => {
    const queue = queues.get(name) ?? {
      take: createTurns({ runningMax, waitingMax, refuse: tooManyWrong }),
      users: 0,
    };
    queues.set(name, queue);
    queue.users += 1;
    try {
      return await queue.take(work);
    } finally {
      queue.users -= 1;
      if (queue.users === 0) queues.delete(name);
    }
  };
}

function tooManyWrong(): AppError {
  const message = 'Too many API keys from this address that open nothing';
  return new AppError('rate_limited', message, { headers: { 'Retry-After': '1' } });
}
