/**
 * Whose secrets have been presented lately: what the surfaces for data know of keys without asking anew.
 *
 * Guarantees: an answer is at most 1 s old, and a key's expiry is exact; only a "yes" is kept, so a new key
 * and a new binding are seen at once. What is kept is found by the SHA-256 of the secret, never by the
 * secret. Those who ask for one key at once share one look-up, so that a thousand clients that come back
 * together are one question; what was found before a drop of it is never given after.
 */
import type { Clock } from '../lib/clock.ts';
import { isExpired } from './key-terms.ts';
import type { FindPrincipal, KnownKey, KnownPrincipal } from './principals.ts';

const cachedMsMax = 1_000;
/** A key that is used after so much of it is asked for again meanwhile, so that nobody need wait. */
const refreshedAfterMs = 500;
const cachedPrincipalsMax = 10_000;
/** Whoever is dropped at every one of them is being changed by a program gone wild. */
const questionsMax = 10;

type Matches = (principal: KnownPrincipal) => boolean;

export interface CachedPrincipal {
  readonly principal: KnownPrincipal;
  readonly foundAtMs: number;
  /** The address that was last found to be allowed: reading one costs more than all else here. */
  allowedAddress: string | undefined;
}

export interface PrincipalCache {
  /** Gives what is known at the moment, without asking. @param ageMsMax how old it may be, by performance.now(). */
  read(hash: string, ageMsMax?: number): CachedPrincipal | undefined;
  /** Whether somebody is asking for it just now. */
  isAsking(hash: string): boolean;
  /** Asks anew, or together with who is asking just now. */
  find(hash: string): Promise<CachedPrincipal | undefined>;
  /** Forgets one, so that the next who asks gets what is true then. */
  forget(hash: string): void;
  /** Forgets those that open an instance. */
  dropInstance(instanceId: string): void;
  dropKey(keyId: string): void;
}

/** @param findPrincipal asks where keys are; it may keep nothing itself. */
export function createPrincipalCache(deps: {
  readonly findPrincipal: FindPrincipal;
  readonly clock: Clock;
}): PrincipalCache {
  const { findPrincipal, clock } = deps;
  const cache = new Map<string, CachedPrincipal>();
  const lookups = new Map<string, Promise<CachedPrincipal | undefined>>();
  /** For each question under way, what was dropped since it was asked. */
  const underWay = new Set<Matches[]>();

  function hasEnded(key: KnownKey): boolean {
    return key.expiresAt != null && isExpired(key, clock.now());
  }

  /** What was found while a drop of it came may be older than that, so it is asked for once more. */
  async function lookUp(hash: string): Promise<CachedPrincipal | undefined> {
    for (let questions = 0; questions < questionsMax; questions += 1) {
      const dropped: Matches[] = [];
      underWay.add(dropped);
      const foundAtMs = performance.now();
      const principal = await findPrincipal(hash).finally(() => underWay.delete(dropped));
      if (principal && dropped.some((matches) => matches(principal))) continue;
      return keep(hash, principal, foundAtMs);
    }
    throw new Error('a key changes too often to be looked up');
  }

  function keep(
    hash: string,
    principal: KnownPrincipal | undefined,
    foundAtMs: number,
  ): CachedPrincipal | undefined {
    if (!principal || hasEnded(principal.key)) {
      cache.delete(hash);
      return undefined;
    }
    const found: CachedPrincipal = { principal, foundAtMs, allowedAddress: undefined };
    const [oldest] = cache.keys();
    if (cache.size >= cachedPrincipalsMax && oldest !== undefined) cache.delete(oldest);
    cache.set(hash, found);
    return found;
  }

  /** Concurrent requests of one key share one look-up. */
  function share(hash: string): Promise<CachedPrincipal | undefined> {
    const running = lookups.get(hash);
    if (running) return running;
    const started = lookUp(hash).finally(() => {
      if (lookups.get(hash) === started) lookups.delete(hash);
    });
    lookups.set(hash, started);
    return started;
  }

  function drop(matches: Matches): void {
    for (const dropped of underWay) dropped.push(matches);
    lookups.clear();
    for (const [hash, { principal }] of cache) if (matches(principal)) cache.delete(hash);
  }

  return {
    read(hash, ageMsMax = cachedMsMax) {
      const cached = cache.get(hash);
      if (!cached) return undefined;
      const ageMs = performance.now() - cached.foundAtMs;
      if (ageMs < ageMsMax && !hasEnded(cached.principal.key)) {
        // Where it fails, the answer in hand holds until it is old, and then the failure is told.
        if (ageMs > refreshedAfterMs && !lookups.has(hash)) share(hash).catch(ignore);
        return cached;
      }
      if (ageMs >= cachedMsMax) cache.delete(hash);
      return undefined;
    },
    isAsking: (hash) => lookups.has(hash),
    find: share,
    forget: (hash) => void cache.delete(hash),
    dropInstance: (instanceId) =>
      drop(({ instances }) => instances.some(({ id }) => id === instanceId)),
    dropKey: (keyId) => drop(({ key }) => key.id === keyId),
  };
}

function ignore(): void {}
