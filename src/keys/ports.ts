/** What the surfaces for data need to know of keys, wherever that comes from. */
import type { KeyUsage } from './key-usage.ts';
import type { Way } from './lost-ways.ts';
import type { FindPrincipal, KeyTerms } from './principals.ts';
import type { RateStore } from './rates/rate-store.ts';

/** A process without a database has these by asking one that has it. */
export interface KeyPorts {
  readonly findPrincipal: FindPrincipal;
  /** Where rates are counted: what others spend of there cannot be spent here. */
  readonly rates: RateStore;
  readonly keyUsage: KeyUsage;
  /** Reads the terms of keys that are in use; a key that is gone has none. */
  readonly readTerms: (keyIds: readonly string[]) => Promise<readonly KeyTerms[]>;
  /** Gives those ways that another server has closed; undefined where all drops reach this process. */
  readonly findLostWays: ((ways: readonly Way[]) => Promise<ReadonlySet<Way>>) | undefined;
}
