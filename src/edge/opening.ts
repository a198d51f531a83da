/**
 * From credentials to a signed-in connection of an instance; where that is on its way (being started, restarted
 * or replaced) it is waited for, within a bound.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { sha256Hex } from '../lib/crypto.ts';
import * as refusals from './refusals.ts';
import { type Credentials, findRoute, type Route, type RouteDeps } from './route.ts';
import { type Opening, openInstance } from './upstream.ts';

const pauseMs = 250;

export interface OpeningOptions extends RouteDeps {
  readonly credentials: Credentials;
  /** The request that signs in as an ACL user. */
  readonly encodeFor: (aclUser: string) => Buffer;
  /** For the connection to an instance, and again for its answer. */
  readonly instanceTimeoutMs: number;
  /** For an instance that is not there yet. */
  readonly instanceWaitMs: number;
  /** Gives up, because the client left. */
  readonly signal: AbortSignal;
  /** Told of every way before it is tried: undefined where it will do. */
  readonly onRoute: (route: Route) => refusals.Refusal | undefined;
  /** Told why an instance could not be opened. */
  readonly onFailure: (error: Error) => void;
}

/** @throws when the keys cannot be asked for, or when `signal` was aborted. */
export async function openRoute(options: OpeningOptions): Promise<Opening | refusals.Refusal> {
  const { credentials, signal, instanceWaitMs } = options;
  const waitUntilMs = performance.now() + instanceWaitMs;
  for (;;) {
    const route = await findRoute(options, credentials);
    signal.throwIfAborted();
    const outcome = 'code' in route ? route : await tryRoute(options, route);
    const isOver = performance.now() + pauseMs > waitUntilMs;
    if (!('code' in outcome) || !outcome.passes || isOver) return outcome;
    await sleep(pauseMs, undefined, { signal });
  }
}

async function tryRoute(
  options: OpeningOptions,
  route: Route,
): Promise<Opening | refusals.Refusal> {
  const { principals, credentials, signal } = options;
  const refused = options.onRoute(route);
  if (refused) return refused;
  try {
    return await openInstance({
      host: route.host,
      port: route.port,
      request: options.encodeFor(route.key.id),
      timeoutMs: options.instanceTimeoutMs,
      signal,
    });
  } catch (error) {
    signal.throwIfAborted();
    options.onFailure(error as Error);
    // It may have moved since.
    principals.forget(sha256Hex(credentials.secret));
    return refusals.instanceUnreachable(route.instance.id);
  }
}
