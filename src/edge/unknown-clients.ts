/**
 * Counts clients that have not signed in by where they come from, so that one address cannot take all places
 * of the door by saying nothing.
 */
import { networkOf } from '../lib/network.ts';

export interface UnknownClients {
  /** Counts one in, and gives what counts it out again (once); undefined where its address has its share. */
  enter(address: string | undefined): (() => void) | undefined;
}

export interface UnknownClientsLimits {
  readonly connectionsMax: number;
  /** Which part of those one address may have before they have signed in. */
  readonly unknownShareOfAddress: number;
}

export function createUnknownClients(limits: UnknownClientsLimits): UnknownClients {
  const counts = new Map<string, number>();
  const max = Math.ceil(limits.connectionsMax * limits.unknownShareOfAddress);
  return {
    enter(address) {
      const network = networkOf(address);
      const count = counts.get(network) ?? 0;
      if (count >= max) return undefined;
      counts.set(network, count + 1);
      return () => {
        const others = (counts.get(network) ?? 1) - 1;
        if (others > 0) counts.set(network, others);
        else counts.delete(network);
      };
    },
  };
}
