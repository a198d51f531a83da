/**
 * What the door counts for its operator: plain numbers, no name of a tenant, command or value.
 * A chunk costs them a few additions.
 */

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
}

export function createDoorFigures(): DoorFigures {
  const refusals = Object.fromEntries(refusalReasons.map((reason) => [reason, 0]));
  return {
    refusals: refusals as Record<RefusalReason, number>,
    accepted: 0,
    opened: 0,
    commands: 0,
    slowed: 0,
    bytesIn: 0,
    bytesOut: 0,
    openingSeconds: 0,
  };
}
