/** What the use cases of instances need; main.ts wires it. */
import type { Config } from '../config.ts';
import type { Clock } from '../lib/clock.ts';
import type { Orm } from '../store/database.ts';

/** The port to provisioning: use cases say what changed, nothing more. */
export interface Provisioner {
  /** Says that an instance's wanted state has changed; returns at once. */
  wake(): void;
}

export interface InstanceServices {
  readonly orm: Orm;
  readonly clock: Clock;
  readonly config: Config;
  readonly provisioner: Provisioner;
}
