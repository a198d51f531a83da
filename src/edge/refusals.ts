/**
 * Every error the door itself says, and the one function that renders them. Where Redis has a text for
 * the case it is Redis 7.0's own, to the letter: clients look for these words.
 */
import { instanceHostname } from '../instances/host-names.ts';

export interface Refusal {
  /** Redis's error code: the first word, which clients act on (`LOADING` makes them try again). */
  readonly code: 'ERR' | 'LOADING' | 'NOAUTH' | 'NOPERM' | 'NOPROTO' | 'WRONGPASS';
  readonly message: string;
  /** For the debug log; holds nothing that the client sent. */
  readonly reason: string;
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
} as const satisfies Refusal;

export const tlsOnly = {
  code: 'ERR',
  message: 'this port takes TLS only: connect with rediss:// (redis-cli: --tls)',
  reason: 'no TLS on a port of TLS',
} as const satisfies Refusal;

export const foreignProxyHeader = {
  code: 'ERR',
  message: 'PROXY protocol headers are not taken from this address',
  reason: 'a PROXY protocol header from an address that is none of the balancers',
} as const satisfies Refusal;

export const cannotCheckKey = {
  code: 'LOADING',
  message: 'SwiftCache cannot check keys right now, try again',
  reason: 'the database did not answer',
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
  return plainError(
    `this key opens several instances: sign in as user inst_… ` +
      `(redis://${first}:KEY@host:port)${overTls}. Its instances: ${named}${more}`,
    'the key opens several instances and none was named',
  );
}

export function instanceNotRunning(id: string, status: string): Refusal {
  const reason = `the instance is ${status}`;
  return status === 'PROVISIONING'
    ? { code: 'LOADING', message: `SwiftCache is preparing instance ${id} (${status})`, reason }
    : plainError(`instance ${id} is ${status}`, reason);
}

/** LOADING, because a running instance that does not answer is being mended: trying again helps. */
export function instanceUnreachable(id: string): Refusal {
  return {
    code: 'LOADING',
    message: `instance ${id} does not answer, try again`,
    reason: 'the instance does not answer',
  };
}
