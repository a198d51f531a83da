/**
 * What the door counts for its operator: plain numbers, no name of a tenant, command or value.
 * A chunk costs them a few additions.
 */
import { type HandshakeFailure, handshakeFailures } from './handshake-failures.ts';
import { createHeldTimes, type HeldTimes } from './held-times.ts';

/** Why something was refused or ended; a fixed list, so that the number of figures is. */
export const refusalReasons = [
  'wrong_key',
  'address_not_allowed',
  'instance_not_named',
  'instance_not_running',
  'instance_unreachable',
  'keys_not_checked',
  'too_many_failures',
  'too_many_connections',
  'tls_missing',
  'tls_not_offered',
  'proxy_header',
  'rate_limited',
  'sign_in_refused',
  'no_sign_in_in_time',
  'replies_not_read',
  'idle',
  'key_expired',
  'other',
] as const;
export type RefusalReason = (typeof refusalReasons)[number];

export interface DoorFigures {
  readonly refusals: Record<RefusalReason, number>;
  readonly handshakeFailures: Record<HandshakeFailure, number>;
  readonly held: { readonly requests: HeldTimes; readonly replies: HeldTimes };
  /** Connections that were accepted, and those that got through to an instance. */
  accepted: number;
  opened: number;
  commands: number;
  /** Commands that waited for their rate. */
  slowed: number;
  /** From clients, and to them. */
  bytesIn: number;
  bytesOut: number;
  /** Seconds from AUTH to Redis's answer, in sum; with `opened` the mean. */
  openingSeconds: number;
  /** TLS handshakes that were done. */
  handshakes: number;
}

export function createDoorFigures(): DoorFigures {
  return {
    refusals: startAtZero(refusalReasons),
    handshakeFailures: startAtZero(handshakeFailures),
    held: { requests: createHeldTimes(), replies: createHeldTimes() },
    accepted: 0,
    opened: 0,
    commands: 0,
    slowed: 0,
    bytesIn: 0,
    bytesOut: 0,
    openingSeconds: 0,
    handshakes: 0,
  };
}

function startAtZero<Name extends string>(names: readonly Name[]): Record<Name, number> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;
}
