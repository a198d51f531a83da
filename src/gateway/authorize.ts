/**
 * Who is asking, and whether their key opens the instance.
 *
 * Guarantees: an answer is at most 1 s old, and a key's expiry is exact; only a "yes" is kept, so a new
 * key, a new binding and an instance that has just become RUNNING are seen at once; an unknown instance and
 * one the key does not open get the same answer. What is kept is found by the SHA-256 of the secret, never
 * by the secret: nothing that is compared tells how much of a guess was right, and no secret outlives its
 * request here. (Finding it by the header's text instead would save about 0.5 µs a request.)
 *
 * While an answer is fresh nothing is awaited: the grant is given at once, without a promise; and a key that
 * is in use is asked for again before its answer is old.
 */
import { servesData } from '../instances/states.ts';
import { allowsAddress } from '../keys/address-rules.ts';
import { isExpired } from '../keys/data-keys.ts';
import { isDataSecret } from '../keys/format.ts';
import type { Clock } from '../lib/clock.ts';
import { sha256Hex } from '../lib/crypto.ts';
import {
  addressNotAllowed,
  authenticationRequired,
  instanceNotFound,
  invalidToken,
} from './failures.ts';
import { readQueryToken, type Target } from './parse.ts';
import type { FindPrincipal, KnownInstance, KnownKey, KnownPrincipal } from './principals.ts';
import { createUnknownKeys, type UnknownKeys } from './unknown-keys.ts';

const cachedMsMax = 1_000;
/** A key that is used after so much of it is asked for again meanwhile, so that nobody need wait. */
const refreshedAfterMs = 500;
const cachedPrincipalsMax = 10_000;
const bearer = 'Bearer ';

/** A key that may use an instance, with the secret it was presented by. */
export interface Grant {
  readonly secret: string;
  readonly key: KnownKey;
  readonly instance: KnownInstance;
  /** Commands per second that the plan gives to all of the organization's keys together. */
  readonly requestsPerSecond: number;
}

export interface Authorizer {
  /**
   * @param request its Authorization header, and the address it came from.
   * @returns the grant itself while what is known of the key is fresh, else a promise of it.
   * @throws {AppError} (at once, or by the promise) 401 without a valid key, 403 from an address that the
   * key does not allow, 404 where the key does not open the instance, 429 where the address has sent too many
   * such keys (unknown-keys.ts).
   */
  authorize(
    target: Target,
    request: { readonly authorization: string | undefined; readonly address: string },
  ): Grant | Promise<Grant>;
  dropInstance(instanceId: string): void;
  dropKey(keyId: string): void;
}

interface Cached {
  readonly principal: KnownPrincipal;
  readonly freshUntilMs: number;
  /** From then on whoever uses it has it asked for again. */
  readonly refreshAtMs: number;
  /** The address that was last found to be allowed: reading one costs more than all else here. */
  allowedAddress: string | undefined;
}

/** @param deps where keys are looked up: a second's staleness is added here and may be added nowhere else. */
export function createAuthorizer(deps: {
  readonly findPrincipal: FindPrincipal;
  readonly clock: Clock;
  /** The bounds of its own where left out. */
  readonly unknownKeys?: UnknownKeys;
}): Authorizer {
  const { findPrincipal, clock, unknownKeys = createUnknownKeys() } = deps;
  const cache = new Map<string, Cached>();
  const lookups = new Map<string, Promise<Cached | undefined>>();
  /** Those that may still wait for their address's leave, by key, instance and address. */
  const guarded = new Map<string, Promise<Cached | undefined>>();
  // Raised by every drop: a look-up that began before one is not kept after it.
  let generation = 0;

  function readCache(hash: string): Cached | undefined {
    const cached = cache.get(hash);
    if (!cached) return undefined;
    const nowMs = performance.now();
    if (cached.freshUntilMs > nowMs && !hasEnded(cached.principal.key)) {
      // Where it fails, the answer in hand holds until it is old, and then the failure is told.
      if (cached.refreshAtMs < nowMs && !lookups.has(hash)) shareLookUp(hash).catch(ignore);
      return cached;
    }
    cache.delete(hash);
    return undefined;
  }

  function hasEnded(key: KnownKey): boolean {
    return key.expiresAt != null && isExpired(key, clock.now());
  }

  /** What was found while a drop came may be older than it, so it is asked for once more. */
  async function lookUp(hash: string, isRepeated = false): Promise<Cached | undefined> {
    const begun = generation;
    const askedMs = performance.now();
    const principal = await findPrincipal(hash);
    if (begun !== generation && !isRepeated) return await lookUp(hash, true);
    if (!principal || hasEnded(principal.key)) {
      cache.delete(hash);
      return undefined;
    }
    const found: Cached = {
      principal,
      freshUntilMs: askedMs + cachedMsMax,
      refreshAtMs: askedMs + refreshedAfterMs,
      allowedAddress: undefined,
    };
    if (begun !== generation) return found;
    const [oldest] = cache.keys();
    if (cache.size >= cachedPrincipalsMax && oldest !== undefined) cache.delete(oldest);
    cache.set(hash, found);
    return found;
  }

  /** Concurrent requests of one key share one look-up. */
  function shareLookUp(hash: string): Promise<Cached | undefined> {
    const running = lookups.get(hash);
    if (running) return running;
    const started = lookUp(hash).finally(() => {
      if (lookups.get(hash) === started) lookups.delete(hash);
    });
    lookups.set(hash, started);
    return started;
  }

  async function authorizeAnew(
    hash: string,
    request: { secret: string; instanceId: string; address: string },
  ): Promise<Grant> {
    const { secret, instanceId, address } = request;
    const found = isDataSecret(secret) ? await find(hash, instanceId, address) : undefined;
    if (!found) throw invalidToken();
    requireAddress(found, address);
    const instance = findInstance(found, instanceId);
    if (!instance) throw instanceNotFound();
    return toGrant(found, secret, instance);
  }

  /** Joins a look-up that is under way, for that asks nobody anything; another needs the address's leave. */
  function find(hash: string, instanceId: string, address: string): Promise<Cached | undefined> {
    const way = `${hash} ${instanceId}`;
    const name = `${way} ${address}`;
    const running = lookups.get(hash) ?? guarded.get(name);
    if (running) return running;
    const isGood = (found: Cached | undefined): boolean =>
      found !== undefined && findInstance(found, instanceId) !== undefined;
    const started = unknownKeys
      .guard(address, way, () => shareLookUp(hash), isGood)
      .finally(() => {
        if (guarded.get(name) === started) guarded.delete(name);
      });
    guarded.set(name, started);
    return started;
  }

  function drop(matches: (principal: KnownPrincipal) => boolean): void {
    generation += 1;
    lookups.clear();
    guarded.clear();
    for (const [hash, { principal }] of cache) if (matches(principal)) cache.delete(hash);
  }

  return {
    authorize(target, { authorization, address }) {
      const secret = readSecret(target, authorization);
      const hash = sha256Hex(secret);
      const cached = readCache(hash);
      const instance = cached && findInstance(cached, target.instanceId);
      if (!cached || !instance || !servesData(instance.status)) {
        return authorizeAnew(hash, { secret, instanceId: target.instanceId, address });
      }
      requireAddress(cached, address);
      return toGrant(cached, secret, instance);
    },
    dropInstance: (instanceId) =>
      drop(({ instances }) => instances.some(({ id }) => id === instanceId)),
    dropKey: (keyId) => drop(({ key }) => key.id === keyId),
  };
}

function findInstance({ principal }: Cached, instanceId: string): KnownInstance | undefined {
  for (const instance of principal.instances) if (instance.id === instanceId) return instance;
  return undefined;
}

function requireAddress(cached: Cached, address: string): void {
  const { ipWhitelist } = cached.principal.key;
  if (ipWhitelist.length === 0 || cached.allowedAddress === address) return;
  if (!allowsAddress(ipWhitelist, address)) throw addressNotAllowed(address);
  cached.allowedAddress = address;
}

function toGrant({ principal }: Cached, secret: string, instance: KnownInstance): Grant {
  const { key, requestsPerSecond } = principal;
  return { secret, key, instance, requestsPerSecond };
}

/** Gives what was presented as a key; findPrincipal says whether it is one. The header wins over the query, even where it is the wrong one of the two. */
function readSecret(target: Target, authorization: string | undefined): string {
  const secret = authorization ? readBearer(authorization) : readQueryToken(target);
  if (!secret) throw authenticationRequired();
  return secret;
}

function readBearer(authorization: string): string {
  // As clients write it; the pattern takes what HTTP allows beside that.
  const isPlain = authorization.startsWith(bearer) && !authorization.includes(' ', bearer.length);
  if (isPlain && authorization.length > bearer.length) return authorization.slice(bearer.length);
  return /^Bearer +(\S+) *$/i.exec(authorization)?.[1] ?? 'malformed';
}

function ignore(): void {}
