/** What the surfaces for data need to know of keys, in a process with a database. */
import { systemClock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Orm } from '../store/database.ts';
import { createKeyUsage } from './key-usage.ts';
import { findLostWays } from './lost-ways.ts';
import type { KeyPorts } from './ports.ts';
import { createPrincipalFinder, readKeyTerms } from './principals.ts';
import { createDatabaseRates } from './rates/rate-database.ts';
import { createMemoryStore, createRemoteStore } from './rates/rate-store.ts';

/** @param isShared whether other servers work on the same database. */
export function createDatabasePorts(
  { orm, logger }: { readonly orm: Orm; readonly logger: Logger },
  isShared: boolean,
): KeyPorts {
  return {
    findPrincipal: createPrincipalFinder(orm, systemClock),
    rates: isShared ? createRemoteStore(createDatabaseRates(orm), logger) : createMemoryStore(),
    keyUsage: createKeyUsage({ orm, logger, clock: systemClock }),
    readTerms: (keyIds) => readKeyTerms(orm, keyIds),
    findLostWays: isShared ? (ways) => findLostWays(orm, ways) : undefined,
  };
}
