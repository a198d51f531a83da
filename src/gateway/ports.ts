/** What the gateway needs of the rest of the service, and how it has it in a process with a database. */
import { createKeyUsage, type KeyUsage } from '../keys/key-usage.ts';
import { findLostWays, type Way } from '../keys/lost-ways.ts';
import { createPrincipalFinder, type FindPrincipal } from '../keys/principals.ts';
import { createDatabaseRates } from '../keys/rates/rate-database.ts';
import { createMemoryStore, createRemoteStore, type RateStore } from '../keys/rates/rate-store.ts';
import { systemClock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Orm } from '../store/database.ts';

/** A process without a database has these by asking one that has it. */
export interface GatewayPorts {
  readonly findPrincipal: FindPrincipal;
  /** Where rates are counted. */
  readonly rates: RateStore;
  readonly keyUsage: KeyUsage;
  /** Gives those ways that another server has closed; undefined where all drops reach this process. */
  readonly findLostWays: ((ways: readonly Way[]) => Promise<ReadonlySet<Way>>) | undefined;
}

/** @param isShared whether other servers work on the same database. */
export function createDatabasePorts(
  { orm, logger }: { readonly orm: Orm; readonly logger: Logger },
  isShared: boolean,
): GatewayPorts {
  return {
    findPrincipal: createPrincipalFinder(orm, systemClock),
    rates: isShared ? createRemoteStore(createDatabaseRates(orm), logger) : createMemoryStore(),
    keyUsage: createKeyUsage({ orm, logger, clock: systemClock }),
    findLostWays: isShared ? (ways) => findLostWays(orm, ways) : undefined,
  };
}
