/** What a connection needs of the door, and its bounds. */
import type { KeyUsage } from '../keys/key-usage.ts';
import type { Limits } from '../keys/rates/limits.ts';
import type { Logger } from '../lib/logger.ts';
import type { FailedSignIns } from './failed-sign-ins.ts';
import type { DoorFigures } from './figures.ts';
import type { KeyUses } from './key-uses.ts';
import type { RouteDeps } from './route.ts';

export interface ConnectionLimits {
  /** How long a client may take to sign in. */
  readonly authenticationTimeoutMs: number;
  /** For the connection to an instance, and again for its answer to the sign-in. */
  readonly instanceTimeoutMs: number;
  /** How long a sign-in waits for an instance that is on its way. */
  readonly instanceWaitMs: number;
  /** Wrong keys on one connection; the last one closes it. */
  readonly wrongKeysMax: number;
  /** How long a client may leave unread what waits for it. */
  readonly unreadTimeoutMs: number;
  /** How long nothing may pass either way; 0: for ever. */
  readonly idleTimeoutMs: number;
}

export interface ConnectionDeps extends RouteDeps {
  readonly logger: Logger;
  readonly keyUsage: KeyUsage;
  readonly keyUses: KeyUses;
  readonly rates: Limits;
  readonly failures: FailedSignIns;
  readonly figures: DoorFigures;
  readonly limits: ConnectionLimits;
  /** Told once, when it has signed in or ended. */
  readonly onSettled: () => void;
}
