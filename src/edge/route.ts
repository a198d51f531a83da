/** Whom a client is, by its key, and which instance it wants, by its TLS server name or its user name. */
import { servesData } from '../instances/states.ts';
import { allowsAddress } from '../keys/address-rules.ts';
import { findPrincipal } from '../keys/data-keys.ts';
import type { Clock } from '../lib/clock.ts';
import { idPattern } from '../lib/ids.ts';
import type { Orm } from '../store/database.ts';
import type { DataKey } from '../store/entities/data-key.ts';
import type { Instance } from '../store/entities/instance.ts';
import * as refusals from './refusals.ts';

export interface Route {
  readonly key: DataKey;
  readonly instance: Instance;
  readonly host: string;
  readonly port: number;
}

export interface RouteDeps {
  readonly orm: Orm;
  readonly clock: Clock;
  /** How often keys were dropped so far: what was found before a drop may be found no more after it. */
  readonly keyDrops: () => number;
  /** The service's own domain, where instances have host names under it. */
  readonly domain?: string | undefined;
}

/** What a client signs in with, and from where. */
interface Credentials {
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
 */
export async function findRoute(
  deps: RouteDeps,
  credentials: Credentials,
): Promise<Route | refusals.Refusal> {
  for (;;) {
    const drops = deps.keyDrops();
    const found = await lookUpRoute(deps, credentials);
    if (drops === deps.keyDrops()) return found;
  }
}

async function lookUpRoute(
  { orm, clock, domain }: RouteDeps,
  { user, secret, address, serverName }: Credentials,
): Promise<Route | refusals.Refusal> {
  const principal = await findPrincipal(orm, secret, clock.now());
  if (!principal) return refusals.wrongPass('no such key');
  const { key, instances } = principal;
  if (!allowsAddress(key.ipWhitelist, address)) return refusals.addressNotAllowed(address);
  const chosen = chooseInstance(key.id, instances, { user, serverName });
  const instance =
    chosen ?? refusals.severalInstances(instances.map(({ id }) => id).sort(), domain);
  if ('code' in instance) return instance;
  const { id, status, nodeHost, nodePort } = instance;
  if (!servesData(status)) return refusals.instanceNotRunning(id, status);
  if (!nodeHost || !nodePort) return refusals.instanceUnreachable(id);
  return { key, instance, host: nodeHost, port: nodePort };
}

/** Who names an instance gets that one or none, however it is named; undefined: it must be named. */
function chooseInstance(
  keyId: string,
  instances: readonly Instance[],
  { user, serverName }: Pick<Credentials, 'user' | 'serverName'>,
): Instance | refusals.Refusal | undefined {
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
