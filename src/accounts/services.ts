/** What the use cases of people and organizations need; service.ts wires it. */
import type { Config } from '../config.ts';
import type { Clock } from '../lib/clock.ts';
import type { Orm } from '../store/database.ts';
import type { AccountThrottle } from './throttle.ts';

export interface AccountServices {
  readonly orm: Orm;
  readonly clock: Clock;
  readonly config: Pick<Config, 'signUp'>;
  readonly accountThrottle: AccountThrottle;
}
