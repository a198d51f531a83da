/**
 * How many commands a second a key may run, and an organization by its plan.
 *
 * A key's own rate (`rateLimit`; 1000 stands for none) and the plan's over all of the organization's
 * instances hold side by side, each over windows of one second. A request costs its commands: a pipeline or
 * a transaction their number, at most a whole second's allowance, so that a large one can pass at all.
 *
 * Guarantees: what is refused costs neither rate anything; no rate is passed within a window in one process;
 * over several processes the sum of a window passes it by at most a fiftieth of the limit a process
 * (rates below 100: not at all), as long as they can reach what they share (rate-store.ts). While points
 * are in hand, `admit` is synchronous and makes nothing but the headers, where there are any to send.
 */
import { unlimitedRate } from '../keys/data-keys.ts';
import { AppError } from '../lib/errors.ts';
import type { Grant } from './authorize.ts';
import { createMeter, type Meter } from './meter.ts';
import { type RateStore, windowMs } from './rate-store.ts';

/** Beyond it all are forgotten, which costs what they had in hand. */
const metersMax = 20_000;
const windowS = windowMs / 1_000;
const retryAfter = String(windowS);

/** RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers), in the control API's form. */
export type RateHeaders = Readonly<Record<string, string>>;

/** Whose rates they are. */
export type Limited = Pick<Grant, 'requestsPerSecond'> & {
  readonly key: Pick<Grant['key'], 'id' | 'organizationId' | 'rateLimit'>;
};

export interface Limits {
  /**
   * Spends what a request costs. A body whose commands are not counted yet is let in with 0, which
   * asks only whether there is anything left.
   * @returns what the answer is to say: always where the key has a rate of its own, else once less than half of
   * the plan's is left.
   * @throws {AppError} `rate_limited` with the headers and Retry-After, at once or by the promise.
   */
  admit(grant: Limited, cost: number): RateHeaders | undefined | Promise<RateHeaders | undefined>;
}

/** Makes the limits of one process. */
export function createLimits(store: RateStore): Limits {
  const meters = new Map<string, Meter>();

  function meterOf(name: string, limit: number): Meter {
    const known = meters.get(name);
    if (known?.limit === limit) return known;
    if (meters.size >= metersMax) meters.clear();
    const meter = createMeter(store, name, limit);
    meters.set(name, meter);
    return meter;
  }

  return {
    admit({ key, requestsPerSecond }, cost) {
      const plan = meterOf(key.organizationId, requestsPerSecond);
      const own = key.rateLimit < unlimitedRate ? meterOf(key.id, key.rateLimit) : undefined;
      const isWithinOwn = own?.take(cost) ?? true;
      if (own && isWithinOwn !== true) return spendBoth(own, plan, cost, isWithinOwn);
      const isWithinPlan = plan.take(cost);
      if (isWithinPlan !== true) return spendPlan(own, plan, cost, isWithinPlan);
      return describe(own, plan);
    },
  };
}

/** Goes on where the key's own rate has said no, or is still to say. */
function spendBoth(
  own: Meter,
  plan: Meter,
  cost: number,
  isWithinOwn: false | Promise<boolean>,
): Promise<RateHeaders | undefined> {
  if (isWithinOwn === false) throw tooMany(own, true);
  return isWithinOwn.then((isWithin) => {
    if (!isWithin) throw tooMany(own, true);
    return spendPlan(own, plan, cost, plan.take(cost));
  });
}

/** Goes on where the key's own rate has been spent of, and the plan's has said no, or is still to say. */
function spendPlan(
  own: Meter | undefined,
  plan: Meter,
  cost: number,
  isWithinPlan: boolean | Promise<boolean>,
): RateHeaders | undefined | Promise<RateHeaders | undefined> {
  if (isWithinPlan === true) return describe(own, plan);
  const window = own?.readWindow() ?? 0;
  const refuse = (): AppError => {
    own?.giveBack(cost, window);
    return tooMany(plan, false);
  };
  if (isWithinPlan === false) throw refuse();
  return isWithinPlan.then((isWithin) => {
    if (!isWithin) throw refuse();
    return describe(own, plan);
  });
}

function describe(own: Meter | undefined, plan: Meter): RateHeaders | undefined {
  if (own) return writeHeaders(own, true);
  return plan.readRemaining() * 2 < plan.limit ? writeHeaders(plan, false) : undefined;
}

function writeHeaders(meter: Meter, isOwn: boolean): RateHeaders {
  const name = isOwn ? '"key"' : '"plan"';
  return {
    'RateLimit-Policy': `${name};q=${meter.limit};w=${windowS}`,
    RateLimit: `${name};r=${meter.readRemaining()};t=${windowS}`,
  };
}

function tooMany(meter: Meter, isOwn: boolean): AppError {
  const whose = isOwn ? 'This key' : "The plan of this key's organization";
  const message = `${whose} allows ${meter.limit} commands a second`;
  const headers = { ...writeHeaders(meter, isOwn), 'Retry-After': retryAfter };
  return new AppError('rate_limited', message, { headers });
}
