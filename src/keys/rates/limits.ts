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
import { AppError } from '../../lib/errors.ts';
import { unlimitedRate } from '../key-terms.ts';
import type { KnownPrincipal } from '../principals.ts';
import { createMeter, type Meter } from './meter.ts';
import { type RateStore, windowMs } from './rate-store.ts';

/** Beyond it all are forgotten, which costs what they had in hand. */
const metersMax = 20_000;
const windowS = windowMs / 1_000;
const retryAfter = String(windowS);

/** RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers), in the control API's form. */
export type RateHeaders = Readonly<Record<string, string>>;

/** Whose rates they are. */
export type Limited = Pick<KnownPrincipal, 'requestsPerSecond'> & {
  readonly key: Pick<KnownPrincipal['key'], 'id' | 'organizationId' | 'rateLimit'>;
};

/** The rate that has nothing left. */
export interface Excess {
  readonly meter: Pick<Meter, 'limit' | 'readRemaining' | 'readRestMs'>;
  /** Whether it is the key's own, or the plan's. */
  readonly isOwn: boolean;
}

export interface Limits {
  /**
   * Spends what a request costs. A body whose commands are not counted yet is let in with 0, which
   * asks only whether there is anything left.
   * @returns what the answer is to say: always where the key has a rate of its own, else once less than half of
   * the plan's is left.
   * @throws {AppError} `rate_limited` with the headers and Retry-After, at once or by the promise.
   */
  admit(grant: Limited, cost: number): RateHeaders | undefined | Promise<RateHeaders | undefined>;
  /** The same without headers. @returns the rate that is used up; undefined where it was spent. */
  spend(grant: Limited, cost: number): Excess | undefined | Promise<Excess | undefined>;
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

  const planMeter = ({ key, requestsPerSecond }: Limited): Meter =>
    meterOf(key.organizationId, requestsPerSecond);
  const ownMeter = ({ key }: Limited): Meter | undefined =>
    key.rateLimit < unlimitedRate ? meterOf(key.id, key.rateLimit) : undefined;

  return {
    admit(grant, cost) {
      const plan = planMeter(grant);
      const own = ownMeter(grant);
      const spent = spend(own, plan, cost);
      if (spent instanceof Promise) return spent.then((excess) => answer(own, plan, excess));
      return answer(own, plan, spent);
    },
    spend: (grant, cost) => spend(ownMeter(grant), planMeter(grant), cost),
  };
}

function spend(
  own: Meter | undefined,
  plan: Meter,
  cost: number,
): Excess | undefined | Promise<Excess | undefined> {
  const isWithinOwn = own?.take(cost) ?? true;
  if (own && isWithinOwn === false) return { meter: own, isOwn: true };
  if (own && typeof isWithinOwn !== 'boolean') {
    return isWithinOwn.then((isWithin) =>
      isWithin ? spendPlan(own, plan, cost) : { meter: own, isOwn: true },
    );
  }
  return spendPlan(own, plan, cost);
}

/** Goes on where the key's own rate has been spent of. */
function spendPlan(
  own: Meter | undefined,
  plan: Meter,
  cost: number,
): Excess | undefined | Promise<Excess | undefined> {
  const isWithinPlan = plan.take(cost);
  if (isWithinPlan === true) return undefined;
  const window = own?.readWindow() ?? 0;
  const refuse = (): Excess => {
    own?.giveBack(cost, window);
    return { meter: plan, isOwn: false };
  };
  if (isWithinPlan === false) return refuse();
  return isWithinPlan.then((isWithin) => (isWithin ? undefined : refuse()));
}

function answer(own: Meter | undefined, plan: Meter, excess: Excess | undefined) {
  if (excess) throw tooMany(excess);
  return describe(own, plan);
}

function describe(own: Meter | undefined, plan: Meter): RateHeaders | undefined {
  if (own) return writeHeaders(own, true);
  return plan.readRemaining() * 2 < plan.limit ? writeHeaders(plan, false) : undefined;
}

function writeHeaders(meter: Excess['meter'], isOwn: boolean): RateHeaders {
  const name = isOwn ? '"key"' : '"plan"';
  return {
    'RateLimit-Policy': `${name};q=${meter.limit};w=${windowS}`,
    RateLimit: `${name};r=${meter.readRemaining()};t=${windowS}`,
  };
}

/** What an excess is in words. */
export function describeExcess({ meter, isOwn }: Excess): string {
  const whose = isOwn ? 'This key' : "The plan of this key's organization";
  return `${whose} allows ${meter.limit} commands a second`;
}

function tooMany(excess: Excess): AppError {
  const headers = { ...writeHeaders(excess.meter, excess.isOwn), 'Retry-After': retryAfter };
  return new AppError('rate_limited', describeExcess(excess), { headers });
}
