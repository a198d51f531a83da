/** Why TLS handshakes fail; a fixed list, so that the number of figures is. */

export const handshakeFailures = [
  'protocol_version',
  'no_shared_cipher',
  'certificate_refused',
  'timed_out',
  'closed',
  'other',
] as const;
export type HandshakeFailure = (typeof handshakeFailures)[number];

/** OpenSSL's codes name the version of TLS that an alert was first in, and are many; so only their meaning counts. */
const patterns: readonly (readonly [HandshakeFailure, RegExp])[] = [
  ['timed_out', /^ERR_TLS_HANDSHAKE_TIMEOUT$/],
  ['closed', /^(ECONNRESET|EPIPE)$/],
  ['certificate_refused', /_ALERT_(UNKNOWN_CA|\w*CERTIFICATE\w*)$/],
  [
    'protocol_version',
    /_(PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|WRONG_VERSION_NUMBER)$/,
  ],
  ['no_shared_cipher', /_(NO_SHARED_CIPHER|NO_SHARED_GROUP\w*|NO_SUITABLE_\w+)$/],
];

/** @param code of Node's or OpenSSL's error. */
export function readHandshakeFailure(code: string | undefined): HandshakeFailure {
  const known = patterns.find(([, pattern]) => pattern.test(code ?? ''));
  return known ? known[0] : 'other';
}
