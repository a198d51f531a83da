/** What the surfaces for data need to know of keys, in a process that asks the service for it. */
import type { Way } from '../keys/lost-ways.ts';
import type { KeyPorts } from '../keys/ports.ts';
import { createRemoteStore } from '../keys/rates/rate-store.ts';
import type { Logger } from '../lib/logger.ts';
import type { Asked } from './messages.ts';

export type Ask = <What extends keyof Asked>(
  what: What,
  question: Asked[What]['question'],
) => Promise<Asked[What]['answer']>;

interface AskedPortsDeps {
  /** Gets the ids of the keys that are used. */
  readonly usedKeyIds: Set<string>;
  readonly logger: Logger;
  /** Whether other servers may close ways. */
  readonly isShared: boolean;
}

export function createAskedPorts(
  ask: Ask,
  { usedKeyIds, logger, isShared }: AskedPortsDeps,
): KeyPorts {
  return {
    findPrincipal: (secretHash) => ask('principal', secretHash),
    rates: createRemoteStore((request) => ask('rate', request), logger),
    keyUsage: {
      touchKey: (keyId) => void usedKeyIds.add(keyId),
      async settle() {},
    },
    readTerms: (keyIds) => ask('terms', keyIds),
    findLostWays: isShared ? (ways) => askForLostWays(ask, ways) : undefined,
  };
}

/** Asks once for all ways of one key to one instance: a door may have thousands of them open. */
async function askForLostWays(ask: Ask, ways: readonly Way[]): Promise<Set<Way>> {
  const alike = Map.groupBy(ways, ({ key, instance }) => {
    return JSON.stringify([key.id, instance.id, key.ipWhitelist]);
  });
  const groups = [...alike.values()] as [Way, ...Way[]][];
  const facts = groups.map(([{ key, instance }]) => ({
    key: { id: key.id, ipWhitelist: key.ipWhitelist },
    instance: { id: instance.id },
  }));
  const places = await ask('lostWays', facts);
  return new Set(places.flatMap((place) => groups[place] ?? []));
}
