/**
 * Every error the door itself says, and the one function that renders them. Where Redis has a text for
 * the case it is Redis 7.0's own, to the letter: clients look for these words.
 */
import { instanceHostname } from '../instances/host-names.ts';
import type { Excess } from '../keys/rates/limits.ts';
import type { RefusalReason } from './figures.ts';

export interface Refusal {
  /** Redis's error code: the first word, which clients act on (`LOADING` makes them try again). */
  readonly code: 'ERR' | 'LOADING' | 'NOAUTH' | 'NOPERM' | 'NOPROTO' | 'WRONGPASS';
  readonly message: string;
  /** For the debug log; holds nothing that the client sent. */
  readonly reason: string;
  /** As what it is counted; `other` unless told. */
  readonly counted?: RefusalReason;
  /** Whether it will be over soon by itself, so that waiting a little is worth it. */
  readonly passes?: boolean;
}

/** An error reply (RESP2 and RESP3 alike). Bytes that would end the line early become spaces. */
export function renderError({ code, message }: Pick<Refusal, 'code' | 'message'>): Buffer {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what must not get through.
  return Buffer.from(`-${code} ${message.replace(/[\u0000-\u001f\u007f]/g, ' ')}\r\n`);
}

export const noAuth = {
  code: 'NOAUTH',
  message: 'Authentication required.',
  reason: 'a command before authentication',
} as const satisfies Refusal;

export const helloNeedsAuth = {
  code: 'NOAUTH',
  message:
    'HELLO must be called with the client already authenticated, otherwise the HELLO AUTH ' +
    '<user> <pass> option can be used to authenticate the client and select the RESP protocol ' +
    'version at the same time',
  reason: 'HELLO without AUTH',
} as const satisfies Refusal;

export const unsupportedProtocol = {
  code: 'NOPROTO',
  message: 'unsupported protocol version',
  reason: 'HELLO with an unknown protocol version',
} as const satisfies Refusal;

export const tooManyConnections = {
  code: 'ERR',
  message: 'max number of clients reached',
  reason: 'too many connections',
  counted: 'too_many_connections',
} as const satisfies Refusal;

export const tlsOnly = {
  code: 'ERR',
  message: 'this port takes TLS only: connect with rediss:// (redis-cli: --tls)',
  reason: 'no TLS on a port of TLS',
  counted: 'tls_missing',
} as const satisfies Refusal;

export const foreignProxyHeader = {
  code: 'ERR',
  message: 'PROXY protocol headers are not taken from this address',
  reason: 'a PROXY protocol header from an address that is none of the balancers',
  counted: 'proxy_header',
} as const satisfies Refusal;

export const cannotCheckKey = {
  code: 'LOADING',
  message: 'SwiftCache cannot check keys right now, try again',
  reason: 'the database did not answer',
  counted: 'keys_not_checked',
} as const satisfies Refusal;

export const keyOpensNothing = {
  code: 'ERR',
  message: 'this key opens no instance: its instance was deleted or the key was taken off it',
  reason: 'the key opens no instance',
} as const satisfies Refusal;

/** Says the address as the door sees it: what is to be added to the list may be a proxy's. */
export function addressNotAllowed(address: string | undefined): Refusal {
  return {
    code: 'NOPERM',
    message: `this key may not be used from the address ${address ?? 'of this connection'}`,
    reason: "the address is none of the key's",
    counted: 'address_not_allowed',
  };
}

/** A plain `ERR`; `reason` defaults to the message, which must then hold nothing of the client's. */
export function plainError(message: string, reason = message): Refusal {
  return { code: 'ERR', message, reason };
}

/** Says nothing about which part was wrong; the log does. */
export function wrongPass(reason: string): Refusal {
  return {
    code: 'WRONGPASS',
    message: 'invalid username-password pair or user is disabled.',
    reason,
    counted: 'wrong_key',
  };
}

export function tooManyFailures(seconds: number): Refusal {
  return {
    code: 'ERR',
    message: `too many failed authentications from this address, try again in ${seconds} s`,
    reason: 'too many failures from the address',
    counted: 'too_many_failures',
  };
}

/** Redis's own words first: clients know them. */
export function tooManyOfPlan(max: number): Refusal {
  const message = `max number of clients reached: the plan of this key's organization allows ${max}`;
  return { ...tooManyConnections, message };
}

export function tooManyOfKey(max: number): Refusal {
  return {
    ...tooManyConnections,
    message: `max number of clients reached: this key may have ${max}`,
  };
}

const instancesNamedMax = 5;

/** @param domain where instances have names that TLS clients can send. */
export function severalInstances(ids: readonly string[], domain?: string): Refusal {
  const [first = ''] = ids;
  const named = ids.slice(0, instancesNamedMax).join(', ');
  const more = ids.length > instancesNamedMax ? ', …' : '';
  const overTls = domain
    ? `, or over TLS with the server name ${instanceHostname(first, domain)}`
    : '';
  return {
    code: 'ERR',
    message:
      `this key opens several instances: sign in as user inst_… ` +
      `(redis://${first}:KEY@host:port)${overTls}. Its instances: ${named}${more}`,
    reason: 'the key opens several instances and none was named',
    counted: 'instance_not_named',
  };
}

/** What a request is refused for on a connection that is signed in, as the word in its place says it. */
export const inPlace = { wrongPass: 'w', otherKey: 'o', unreadableSignIn: 's' } as const;

/** The same for a rate that is used up. */
export function encodeExcess({ meter, isOwn }: Excess): string {
  return `${isOwn ? 'k' : 'p'}${meter.limit}`;
}

const inPlaceTexts: Readonly<Record<string, string>> = {
  [inPlace.wrongPass]: '-WRONGPASS invalid username-password pair or user is disabled.\r\n',
  [inPlace.otherKey]:
    '-ERR this connection belongs to another key: open a new one for this key\r\n',
  [inPlace.unreadableSignIn]: '-ERR syntax error in AUTH or HELLO\r\n',
};

/** Gives the line for such a reason. */
export function renderInPlace(reason: string): Buffer {
  const text = inPlaceTexts[reason];
  if (text) return Buffer.from(text);
  const whose = reason.startsWith('k') ? 'this key' : "the plan of this key's organization";
  const limit = reason.slice(1);
  return Buffer.from(
    `-ERR rate limit exceeded: ${whose} allows ${limit} commands a second, try again in a second\r\n`,
  );
}

/** States that lead to one that serves. */
const passingStatuses: readonly string[] = ['PROVISIONING', 'STARTING', 'RESTARTING'];

export function instanceNotRunning(id: string, status: string): Refusal {
  const about = { reason: `the instance is ${status}`, counted: 'instance_not_running' } as const;
  if (!passingStatuses.includes(status)) {
    return { code: 'ERR', message: `instance ${id} is ${status}`, ...about };
  }
  const message = `SwiftCache is preparing instance ${id} (${status})`;
  return { code: 'LOADING', message, ...about, passes: true };
}

/** LOADING, because a running instance that does not answer is being mended: trying again helps. */
export function instanceUnreachable(id: string): Refusal {
  return {
    code: 'LOADING',
    message: `instance ${id} does not answer, try again`,
    reason: 'the instance does not answer',
    counted: 'instance_unreachable',
    passes: true,
  };
}

/** The code of an error line of Redis; its text is Redis's and may name the user, so it stays out. */
export function readRefusal(line: Buffer): Omit<Refusal, 'message'> {
  const isWrongPass = line.toString('latin1').startsWith('-WRONGPASS ');
  const counted = isWrongPass ? 'wrong_key' : 'other';
  return { code: isWrongPass ? 'WRONGPASS' : 'ERR', reason: 'Redis refused', counted };
}
