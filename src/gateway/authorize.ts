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
import { isDataSecret } from '../keys/format.ts';
import { type CachedPrincipal, createPrincipalCache } from '../keys/principal-cache.ts';
import type { FindPrincipal, KnownInstance, KnownKey } from '../keys/principals.ts';
import type { Clock } from '../lib/clock.ts';
import { sha256Hex } from '../lib/crypto.ts';
import {
  addressNotAllowed,
  authenticationRequired,
  instanceNotFound,
  invalidToken,
} from './failures.ts';
import { readQueryToken, type Target } from './parse.ts';
import { createUnknownKeys, type UnknownKeys } from './unknown-keys.ts';

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

/** @param deps where keys are looked up: a second's staleness is added here and may be added nowhere else. */
export function createAuthorizer(deps: {
  readonly findPrincipal: FindPrincipal;
  readonly clock: Clock;
  /** The bounds of its own where left out. */
  readonly unknownKeys?: UnknownKeys;
}): Authorizer {
  const { unknownKeys = createUnknownKeys(), ...others } = deps;
  const principals = createPrincipalCache(others);
  /** Those that may still wait for their address's leave, by key, instance and address. */
  const guarded = new Map<string, Promise<CachedPrincipal | undefined>>();

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
  function find(
    hash: string,
    instanceId: string,
    address: string,
  ): Promise<CachedPrincipal | undefined> {
    if (principals.isAsking(hash)) return principals.find(hash);
    const way = `${hash} ${instanceId}`;
    const name = `${way} ${address}`;
    const running = guarded.get(name);
    if (running) return running;
    const isGood = (found: CachedPrincipal | undefined): boolean =>
      found !== undefined && findInstance(found, instanceId) !== undefined;
    const started = unknownKeys
      .guard(address, way, () => principals.find(hash), isGood)
      .finally(() => {
        if (guarded.get(name) === started) guarded.delete(name);
      });
    guarded.set(name, started);
    return started;
  }

  return {
    authorize(target, { authorization, address }) {
      const secret = readSecret(target, authorization);
      const hash = sha256Hex(secret);
      const cached = principals.read(hash);
      const instance = cached && findInstance(cached, target.instanceId);
      if (!cached || !instance || !servesData(instance.status)) {
        return authorizeAnew(hash, { secret, instanceId: target.instanceId, address });
      }
      requireAddress(cached, address);
      return toGrant(cached, secret, instance);
    },
    dropInstance(instanceId) {
      guarded.clear();
      principals.dropInstance(instanceId);
    },
    dropKey(keyId) {
      guarded.clear();
      principals.dropKey(keyId);
    },
  };
}

function findInstance(
  { principal }: CachedPrincipal,
  instanceId: string,
): KnownInstance | undefined {
  for (const instance of principal.instances) if (instance.id === instanceId) return instance;
  return undefined;
}

function requireAddress(cached: CachedPrincipal, address: string): void {
  const { ipWhitelist } = cached.principal.key;
  if (ipWhitelist.length === 0 || cached.allowedAddress === address) return;
  if (!allowsAddress(ipWhitelist, address)) throw addressNotAllowed(address);
  cached.allowedAddress = address;
}

function toGrant({ principal }: CachedPrincipal, secret: string, instance: KnownInstance): Grant {
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
