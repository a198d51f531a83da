/**
 * What of the configuration is the redis:// door's: the names of instances, TLS, balancers, and how long a
 * client may be silent. The variables, checked, and what they become.
 */
import { resolve } from 'node:path';
import { z } from 'zod';
import { normaliseAddressRule } from './keys/address-rules.ts';
import { wholeNumber } from './lib/whole-number.ts';

const label = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?';
const domainPattern = new RegExp(`^(${label}\\.)*${label}$`);
/** What is left of the 253 characters of a host name once an instance's own stand before it. */
const domainLengthMax = 220;

const domain = z
  .string()
  .transform((text) => text.toLowerCase())
  .refine((text) => text.length <= domainLengthMax && domainPattern.test(text), {
    message: 'needs a domain such as example.com, without a dot at its end',
  });

const addressList = z
  .string()
  .transform((text) => text.split(',').map((rule) => normaliseAddressRule(rule.trim())))
  .refine((rules): rules is string[] => rules.every((rule) => rule !== undefined), {
    message: 'needs addresses or ranges such as 10.0.0.0/8, with commas between',
  });

/** Thirty days: longer than anybody means. */
const idleTimeoutSMax = 30 * 86_400;

/** The door's part of the environment. */
export const doorVariables = {
  SWIFTCACHE_DOMAIN: domain.optional(),
  SWIFTCACHE_REDIS_TLS_PORT: wholeNumber(0, 65_535).optional(),
  SWIFTCACHE_REDIS_PLAIN: z.enum(['on', 'off']).default('on'),
  SWIFTCACHE_REDIS_TLS_CERT_FILE: z.string().min(1).optional(),
  SWIFTCACHE_REDIS_TLS_KEY_FILE: z.string().min(1).optional(),
  SWIFTCACHE_REDIS_PROXY_PROTOCOL_FROM: addressList.optional(),
  SWIFTCACHE_REDIS_SHARE_PORT: z.enum(['on', 'off']).default('off'),
  SWIFTCACHE_REDIS_PROCESSES: wholeNumber(0, 64).prefault('0'),
  SWIFTCACHE_REDIS_IDLE_TIMEOUT: wholeNumber(0, idleTimeoutSMax).prefault('0'),
};

const doorSchema = z.object(doorVariables);
type DoorEnvironment = z.infer<typeof doorSchema>;

/** The convention of Redis's own documentation. */
const defaultTlsPort = 6380;

/** What the door is told from outside. Paths are absolute. */
export interface DoorSettings {
  /** Instances are reached as `inst-….redis.<domain>`; undefined for one name for all. */
  readonly domain: string | undefined;
  /** The certificate, its chain behind it, and its key; undefined: this process ends no TLS. */
  readonly certificate: { readonly certFile: string; readonly keyFile: string } | undefined;
  /** The port of TLS alone, here or (without a certificate) in another process; undefined for none. */
  readonly tlsPort: { readonly number: number; readonly fixed: boolean } | undefined;
  /** Whether the port of `redis://` takes connections without TLS; where not, there is a `tlsPort`. */
  readonly takesPlain: boolean;
  /** Who passes on connections of others, saying whose with the PROXY protocol: addresses and ranges. */
  readonly proxiesFrom: readonly string[];
  /** Whether other processes may listen on the door's ports as well. */
  readonly sharePort: boolean;
  /** Processes that are the door and nothing else; 0: the service's own process is the door. */
  readonly processes: number;
  /** How long nothing may pass either way on a connection that is signed in; 0: for ever. */
  readonly idleTimeoutMs: number;
}

export function toDoorSettings(env: DoorEnvironment, rootDir: string): DoorSettings {
  const { SWIFTCACHE_REDIS_TLS_CERT_FILE: certFile, SWIFTCACHE_REDIS_TLS_KEY_FILE: keyFile } = env;
  const certificate =
    certFile && keyFile
      ? { certFile: resolve(rootDir, certFile), keyFile: resolve(rootDir, keyFile) }
      : undefined;
  const number = env.SWIFTCACHE_REDIS_TLS_PORT;
  const fixed = number !== undefined;
  return {
    domain: env.SWIFTCACHE_DOMAIN,
    certificate,
    tlsPort: certificate || fixed ? { number: number ?? defaultTlsPort, fixed } : undefined,
    takesPlain: env.SWIFTCACHE_REDIS_PLAIN === 'on',
    proxiesFrom: env.SWIFTCACHE_REDIS_PROXY_PROTOCOL_FROM ?? [],
    sharePort: env.SWIFTCACHE_REDIS_SHARE_PORT === 'on',
    processes: env.SWIFTCACHE_REDIS_PROCESSES,
    idleTimeoutMs: env.SWIFTCACHE_REDIS_IDLE_TIMEOUT * 1_000,
  };
}

/** What does not go together. @param hasDoor whether this process is a door. */
export function* findDoorProblems(env: DoorEnvironment, hasDoor: boolean): Generator<string> {
  const hasCert = env.SWIFTCACHE_REDIS_TLS_CERT_FILE !== undefined;
  const hasKey = env.SWIFTCACHE_REDIS_TLS_KEY_FILE !== undefined;
  if (hasCert && !hasKey) {
    yield 'SWIFTCACHE_REDIS_TLS_KEY_FILE: SWIFTCACHE_REDIS_TLS_CERT_FILE needs its key';
  }
  if (hasKey && !hasCert) {
    yield 'SWIFTCACHE_REDIS_TLS_CERT_FILE: SWIFTCACHE_REDIS_TLS_KEY_FILE needs its certificate';
  }
  if (hasCert || hasKey) return;
  const hasTlsPort = env.SWIFTCACHE_REDIS_TLS_PORT !== undefined;
  if (hasDoor && hasTlsPort) {
    yield 'SWIFTCACHE_REDIS_TLS_PORT: needs SWIFTCACHE_REDIS_TLS_CERT_FILE and …_KEY_FILE';
  }
  if (env.SWIFTCACHE_REDIS_PLAIN === 'on') return;
  if (hasDoor) {
    yield 'SWIFTCACHE_REDIS_PLAIN: off needs SWIFTCACHE_REDIS_TLS_CERT_FILE and …_KEY_FILE';
  } else if (!hasTlsPort) {
    yield 'SWIFTCACHE_REDIS_PLAIN: off needs SWIFTCACHE_REDIS_TLS_PORT, where the doors take TLS';
  }
}
