/**
 * How often somebody may call the control API.
 *
 * Two limits, both over one minute and in this process's memory. Before anything is looked up, an
 * address: generously for all it sends, narrowly for keys that nobody has, so that guessing costs the
 * database nothing. Then the caller, by the largest plan among its organizations (plans.json).
 *
 * Guarantees: memory is bounded, whatever is sent: addresses share a fixed number of buckets, chosen by a
 * hash that nobody outside can predict, and callers are those of the database. A credential that was good
 * of late is not held up by the wrong ones of others behind the same address.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Caller } from '../accounts/caller.ts';
import { defaultPlan, planNames, planOf } from '../instances/plans.ts';
import { AppError } from '../lib/errors.ts';
import { createNetworkBuckets } from '../lib/network.ts';
import { createRecent } from '../lib/recent.ts';
import { OrganizationEntity } from '../store/entities/organization.ts';
import { originOf } from './authenticate-request.ts';
import type { HttpContext, HttpServices } from './route.ts';
import { scopeOf } from './scope.ts';

const windowS = 60;
/** Many callers can be behind one address: it has as much as several of the largest plan. */
const callersPerAddress = 5;
const failuresPerMinute = 60;
const planKeptMs = 60_000;
const plansKept = 10_000;
const goodCredentialsKept = 10_000;

export interface RateLimits {
  /**
   * Counts a request before anything is looked up, and says so in its answer's headers.
   * @throws {AppError} `rate_limited`.
   */
  admitAddress(context: HttpContext): Promise<void>;
  /**
   * Runs what finds the caller, and counts where nobody has its credential.
   * @param credential the key or session to be looked up; undefined where there is nothing to look up.
   * @throws {AppError} `rate_limited` after too many failures, and what `authenticate` throws.
   */
  guardAuthentication(
    context: HttpContext,
    credential: string | undefined,
    authenticate: () => Promise<Caller>,
  ): Promise<Caller>;
  /** Counts a request of a known caller; the answer's headers are about this limit from then on. */
  admitCaller(context: HttpContext, caller: Caller): Promise<void>;
}

/** Makes the limits of one process. */
export function createRateLimits(services: Pick<HttpServices, 'orm' | 'clock'>): RateLimits {
  const bucketOf = createNetworkBuckets();
  const nameOf = createNames();
  const addresses = limiterOf(callersPerAddress * largestRate());
  const failures = limiterOf(failuresPerMinute);
  const callers = new Map<number, RateLimiterMemory>();
  const rateOf = createRates(services);
  const good = createRecent(goodCredentialsKept);
  return {
    async admitAddress(context) {
      await consume(context, addresses, bucketOf(originOf(context).ip));
    },

    async guardAuthentication(context, credential, authenticate) {
      if (!credential) return await authenticate();
      const bucket = bucketOf(originOf(context).ip);
      const name = nameOf(credential);
      const failed = good.has(name) ? null : await failures.get(bucket);
      if (failed && failed.consumedPoints >= failuresPerMinute) throw tooMany(failed.msBeforeNext);
      try {
        const caller = await authenticate();
        good.add(name);
        return caller;
      } catch (error) {
        if (error instanceof AppError && error.status === 401) await failures.penalty(bucket);
        throw error;
      }
    },

    async admitCaller(context, caller) {
      const rate = await rateOf(caller);
      const limiter = callers.get(rate) ?? limiterOf(rate);
      callers.set(rate, limiter);
      await consume(context, limiter, scopeOf(caller));
    },
  };
}

function limiterOf(points: number): RateLimiterMemory {
  return new RateLimiterMemory({ points, duration: windowS });
}

/** Takes one point and writes the headers of draft-ietf-httpapi-ratelimit-headers. */
async function consume(
  context: HttpContext,
  limiter: RateLimiterMemory,
  key: string,
): Promise<void> {
  const taken = await limiter.consume(key).catch((refused: unknown) => {
    if (refused instanceof RateLimiterRes) return refused;
    throw refused;
  });
  const { remainingPoints, consumedPoints, msBeforeNext } = taken;
  context.set('RateLimit-Policy', `"default";q=${limiter.points};w=${windowS}`);
  context.set('RateLimit', `"default";r=${remainingPoints};t=${inSeconds(msBeforeNext)}`);
  if (consumedPoints > limiter.points) throw tooMany(msBeforeNext);
}

function tooMany(msBeforeNext: number): AppError {
  const headers = { 'Retry-After': String(inSeconds(msBeforeNext)) };
  return new AppError('rate_limited', undefined, { headers });
}

function inSeconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1000));
}

function largestRate(): number {
  return Math.max(...planNames.map((name) => planOf(name).apiRequestsPerMinute));
}

/** Names a credential without holding it: nobody who reads this process's memory learns one from its name. */
function createNames(): (credential: string) => string {
  const secret = randomBytes(32);
  return (credential) => createHmac('sha256', secret).update(credential).digest('base64');
}

/** The requests per minute of a caller; the plan of an organization is read at most once a minute. */
function createRates({ orm, clock }: Pick<HttpServices, 'orm' | 'clock'>) {
  const plans = new Map<string, { readonly name: string; readonly untilMs: number }>();
  return async ({ roles }: Caller): Promise<number> => {
    const nowMs = clock.now().getTime();
    const unknown = [...roles.keys()].filter((id) => (plans.get(id)?.untilMs ?? 0) <= nowMs);
    if (unknown.length > 0) {
      if (plans.size + unknown.length > plansKept) plans.clear();
      const rows = await orm.em.fork().find(OrganizationEntity, { id: { $in: unknown } });
      for (const { id, plan } of rows) plans.set(id, { name: plan, untilMs: nowMs + planKeptMs });
    }
    const names = [...roles.keys()].map((id) => plans.get(id)?.name ?? defaultPlan);
    const known = names.filter((name) => planNames.includes(name));
    const all = known.length > 0 ? known : [defaultPlan];
    return Math.max(...all.map((name) => planOf(name).apiRequestsPerMinute));
  };
}
