/**
 * Who is asking, and whether their key opens the instance.
 *
 * Guarantees: an answer is at most 1 s old; only a "yes" is kept, so a new key, a new binding and an
 * instance that has just become RUNNING are seen at once; what is kept is found by the SHA-256 of the
 * secret, never by the secret; an unknown instance and one the key does not open get the same answer.
 */
import { servesData } from '../instances/states.ts';
import { allowsAddress } from '../keys/address-rules.ts';
import { findPrincipal, isExpired, type Principal } from '../keys/data-keys.ts';
import type { Clock } from '../lib/clock.ts';
import { sha256Hex } from '../lib/crypto.ts';
import type { Orm } from '../store/database.ts';
import type { DataKey } from '../store/entities/data-key.ts';
import type { Instance } from '../store/entities/instance.ts';
import {
  addressNotAllowed,
  authenticationRequired,
  instanceNotFound,
  invalidToken,
} from './failures.ts';
import { readQueryToken, type Target } from './parse.ts';

const cachedMsMax = 1_000;
const cachedPrincipalsMax = 10_000;

/** A key that may use an instance, with the secret it was presented by. */
export interface Grant {
  readonly secret: string;
  readonly key: DataKey;
  readonly instance: Instance;
}

export interface Authorizer {
  /**
   * @param request its Authorization header, and the address it came from.
   * @throws {AppError} 401 without a valid key, 403 from an address that the key does not allow, 404 where
   * the key does not open the instance.
   */
  authorize(
    target: Target,
    request: { readonly authorization: string | undefined; readonly address: string },
  ): Promise<Grant>;
  dropInstance(instanceId: string): void;
  dropKey(keyId: string): void;
}

interface Cached {
  readonly principal: Principal;
  readonly expiresAtMs: number;
}

export function createAuthorizer(orm: Orm, clock: Clock): Authorizer {
  const cache = new Map<string, Cached>();
  const lookups = new Map<string, Promise<Principal | undefined>>();
  // Raised by every drop: a look-up that began before one is not kept after it.
  let generation = 0;

  function readCache(hash: string): Principal | undefined {
    const cached = cache.get(hash);
    const isFresh = cached && cached.expiresAtMs > performance.now();
    if (isFresh && !isExpired(cached.principal.key, clock.now())) return cached.principal;
    cache.delete(hash);
    return undefined;
  }

  async function lookUp(hash: string, secret: string): Promise<Principal | undefined> {
    const begun = generation;
    const expiresAtMs = performance.now() + cachedMsMax;
    const principal = await findPrincipal(orm, secret, clock.now());
    if (!principal || begun !== generation) return principal;
    const [oldest] = cache.keys();
    if (cache.size >= cachedPrincipalsMax && oldest !== undefined) cache.delete(oldest);
    cache.set(hash, { principal, expiresAtMs });
    return principal;
  }

  /** Concurrent requests of one key share one look-up. */
  function shareLookUp(hash: string, secret: string): Promise<Principal | undefined> {
    const running = lookups.get(hash);
    if (running) return running;
    const started = lookUp(hash, secret).finally(() => {
      if (lookups.get(hash) === started) lookups.delete(hash);
    });
    lookups.set(hash, started);
    return started;
  }

  function drop(matches: (principal: Principal) => boolean): void {
    generation += 1;
    lookups.clear();
    for (const [hash, { principal }] of cache) if (matches(principal)) cache.delete(hash);
  }

  return {
    async authorize(target, { authorization, address }) {
      const secret = readSecret(target, authorization);
      const hash = sha256Hex(secret);
      const isTarget = ({ id }: Instance): boolean => id === target.instanceId;
      const cached = readCache(hash);
      const known = cached?.instances.find(isTarget);
      const isUsable = known !== undefined && servesData(known.status);
      const principal = cached && isUsable ? cached : await shareLookUp(hash, secret);
      if (!principal) throw invalidToken();
      const { ipWhitelist } = principal.key;
      if (!allowsAddress(ipWhitelist, address)) throw addressNotAllowed(address);
      const instance = principal.instances.find(isTarget);
      if (!instance) throw instanceNotFound();
      return { secret, key: principal.key, instance };
    },
    dropInstance: (instanceId) =>
      drop(({ instances }) => instances.some(({ id }) => id === instanceId)),
    dropKey: (keyId) => drop(({ key }) => key.id === keyId),
  };
}

/** Gives what was presented as a key; findPrincipal says whether it is one. The header wins over the query, even where it is the wrong one of the two. */
function readSecret(target: Target, authorization: string | undefined): string {
  const secret = authorization
    ? (/^Bearer +(\S+) *$/i.exec(authorization)?.[1] ?? 'malformed')
    : readQueryToken(target);
  if (!secret) throw authenticationRequired();
  return secret;
}
