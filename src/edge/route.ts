/** Whom a client is, by its key, and which instance it wants, by its TLS server name or its user name. */
import { servesData } from '../instances/states.ts';
import { allowsAddress } from '../keys/address-rules.ts';
import { isDataSecret } from '../keys/format.ts';
import type { PrincipalCache } from '../keys/principal-cache.ts';
import type { KnownInstance, KnownKey, KnownPrincipal } from '../keys/principals.ts';
import { sha256Hex } from '../lib/crypto.ts';
import { idPattern } from '../lib/ids.ts';
import * as refusals from './refusals.ts';

export interface Route extends Pick<KnownPrincipal, 'requestsPerSecond' | 'connectionsMax'> {
  readonly key: KnownKey;
  readonly instance: KnownInstance;
  readonly host: string;
  readonly port: number;
}

export interface RouteDeps {
  readonly principals: PrincipalCache;
  /** The service's own domain, where instances have host names under it. */
  readonly domain?: string | undefined;
}

/** What a client signs in with, and from where. */
export interface Credentials {
  readonly user: string | undefined;
  readonly secret: string;
  readonly address: string | undefined;
  /** The id of the instance that the TLS server name means; undefined for another name, or none. */
  readonly serverName: string | undefined;
}

const instanceId = idPattern('inst');

/**
 * Finds the instance that these credentials open, or the refusal. What an unknown key, a wrong user
 * name and an instance of somebody else get is one and the same answer.
 *
 * Only a way that was found is taken from what is known; who is refused is looked for anew, or together with
 * those who ask for the same key just then.
 */
export async function findRoute(
  { principals, domain }: RouteDeps,
  credentials: Credentials,
): Promise<Route | refusals.Refusal> {
  const { secret } = credentials;
  if (!isDataSecret(secret)) return refusals.wrongPass('no such key');
  const hash = sha256Hex(secret);
  const known = principals.read(hash);
  const route = known && chooseRoute(known.principal, credentials, domain);
  if (route && !('code' in route)) return route;
  const found = await principals.find(hash);
  if (!found) return refusals.wrongPass('no such key');
  return chooseRoute(found.principal, credentials, domain);
}

function chooseRoute(
  { key, instances, requestsPerSecond, connectionsMax }: KnownPrincipal,
  credentials: Credentials,
  domain: string | undefined,
): Route | refusals.Refusal {
  const { address } = credentials;
  if (!allowsAddress(key.ipWhitelist, address)) return refusals.addressNotAllowed(address);
  const chosen = chooseInstance(key.id, instances, credentials);
  const instance =
    chosen ?? refusals.severalInstances(instances.map(({ id }) => id).sort(), domain);
  if ('code' in instance) return instance;
  const { id, status, nodeHost, nodePort } = instance;
  if (!servesData(status)) return refusals.instanceNotRunning(id, status);
  if (!nodeHost || !nodePort) return refusals.instanceUnreachable(id);
  return { key, instance, host: nodeHost, port: nodePort, requestsPerSecond, connectionsMax };
}

/** Who names an instance gets that one or none, however it is named; undefined: it must be named. */
function chooseInstance(
  keyId: string,
  instances: readonly KnownInstance[],
  { user, serverName }: Pick<Credentials, 'user' | 'serverName'>,
): KnownInstance | refusals.Refusal | undefined {
  const userName = user !== undefined && instanceId.test(user) ? user : undefined;
  // redis-cli sends an empty name for redis://:KEY@host.
  if (user && !userName && user !== 'default' && user !== keyId) {
    return refusals.wrongPass('the user is none of this key');
  }
  if (userName && serverName && userName !== serverName) {
    return refusals.wrongPass('the user and the TLS server name mean two instances');
  }
  const wanted = serverName ?? userName;
  if (wanted) {
    const named = instances.find(({ id }) => id === wanted);
    return named ?? refusals.wrongPass('an instance is named that the key does not open');
  }
  const [first, ...others] = instances;
  if (!first) return refusals.keyOpensNothing;
  return others.length > 0 ? undefined : first;
}
