/**
 * The redis:// front door: one TCP port for all instances.
 *
 * A client signs in as it would at any Redis (AUTH or HELLO, the data key as password). The door finds
 * whose key that is, opens the instance it is for, signs in there as the key's ACL user with the secret
 * the client gave, and from then on passes bytes both ways, looking no further than where requests begin.
 *
 * Guarantees:
 * - Redis decides what a key may do: the door has no rights of its own at an instance and lends none.
 * - Nothing reaches an instance before its own Redis has accepted the key, and then everything that
 *   the client sent behind its AUTH follows in order. Refusals are in Redis's own words.
 * - A client that has not signed in costs little: bytes, arguments, time, wrong keys and unread replies
 *   are bounded. A slow reader slows its own instance connection and nothing else.
 * - dropKey and dropInstance end connections at once, those that are still being opened included. What
 *   another server drops, ends here too: Redis throws out a removed user, and where several servers share a
 *   database the door asks it every `recheckMs` about the ways that it holds open.
 * - No secret, command or value is logged.
 */
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../lib/clock.ts';
import { type ClientLimits, type ClientsDeps, createClients } from './clients.ts';
import type { Figures } from './exposed-figures.ts';
import { listenOnPort, type WantedPort } from './port.ts';
import { keepAliveDelayMs } from './upstream.ts';

export interface Edge {
  /**
   * Starts to accept clients and gives the port: the wanted one, or the next free one unless `fixed`.
   * @throws an Error that names SWIFTCACHE_REDIS_PORT where no port could be had.
   */
  listen(options: { host: string; port: WantedPort }): Promise<number>;
  /** Stops accepting, lets replies under way out for a moment, then ends every connection. */
  close(): Promise<void>;
  /** Ends the connections to an instance at once. */
  dropInstance(instanceId: string): void;
  /** Ends the connections of a key at once; where an instance is named, those to it. */
  dropKey(keyId: string, instanceId?: string): void;
  /** What it has counted since it was made, and how much is open now. */
  readFigures(): Figures;
}

export interface EdgeLimits extends ClientLimits {
  /** How long close() lets replies under way out. */
  readonly closeGraceMs: number;
}

const defaultLimits: EdgeLimits = {
  authenticationTimeoutMs: 10_000,
  instanceTimeoutMs: 5_000,
  instanceWaitMs: 5_000,
  wrongKeysMax: 10,
  unreadTimeoutMs: 60_000,
  idleTimeoutMs: 0,
  failuresBeforeSlow: 100,
  failuresMax: 1_000,
  connectionsMax: 10_000,
  unknownShareOfAddress: 0.5,
  closeGraceMs: 2_000,
};

export interface EdgeDeps extends Omit<ClientsDeps, 'clock' | 'limits'> {
  readonly clock?: ClientsDeps['clock'];
  readonly limits?: Partial<EdgeLimits>;
}

/** Makes the door; it opens with `listen`. */
export function createEdge({ clock = systemClock, limits: given, ...deps }: EdgeDeps): Edge {
  const { logger } = deps;
  const limits = { ...defaultLimits, ...given };
  const clients = createClients({ ...deps, clock, limits });
  const server = createServer({
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveDelayMs,
    // A client may send its last command, close its side, and still get the reply.
    allowHalfOpen: true,
  });
  server.on('connection', (client) => {
    const { remoteAddress: address = '', remotePort: port = 0 } = client;
    clients.accept(client, { address, port, serverName: undefined });
  });

  return {
    async listen(options) {
      const port = await listenOnPort(server, options);
      // E.g. no file descriptor left for a new client: those who are connected go on.
      server.on('error', (error) => logger.error({ err: error }, 'the redis:// port failed'));
      return port;
    },
    async close() {
      const closed = server.listening
        ? new Promise<void>((resolve) => server.close(() => resolve()))
        : Promise.resolve();
      clients.finish();
      const patience = new AbortController();
      await Promise.race([closed, sleep(limits.closeGraceMs, undefined, patience).catch(() => {})]);
      patience.abort();
      await Promise.all([clients.close(), closed]);
    },
    dropInstance: clients.dropInstance,
    dropKey: clients.dropKey,
    readFigures() {
      const signedIn = clients.countSignedIn();
      const { refusals, ...counters } = clients.figures;
      const gauges = { connections: clients.size, signed_in_connections: signedIn };
      return { counters, refusals, gauges };
    },
  };
}
