/**
 * The redis:// front door: one TCP port for all instances, and where there is a certificate one for TLS.
 *
 * A client signs in as it would at any Redis (AUTH or HELLO, the data key as password). The door finds
 * whose key that is, opens the instance it is for, signs in there as the key's ACL user with the secret
 * the client gave, and from then on passes bytes both ways without looking at them.
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
import { createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createKeyUsage } from '../keys/key-usage.ts';
import { findLostWays } from '../keys/lost-ways.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { startRepeating } from '../lib/repeat.ts';
import type { Orm } from '../store/database.ts';
import { type CertificateFiles, watchCertificate } from './certificate.ts';
import { Connection, type ConnectionLimits } from './connection.ts';
import { createEntrance } from './entrance.ts';
import { createHandshakes, type HandshakeLimits } from './handshakes.ts';
import { endWithWord } from './last-word.ts';
import { type ListenOptions, listenOnPort } from './port.ts';
import { renderError, tooManyConnections } from './refusals.ts';
import { keepAliveDelayMs } from './upstream.ts';

export interface Edge {
  /**
   * Starts to accept clients and gives the port: the wanted one, or the next free one unless `fixed`.
   * @throws an Error that names SWIFTCACHE_REDIS_PORT where no port could be had.
   */
  listen(options: DoorListenOptions): Promise<number>;
  /**
   * Starts to accept clients with TLS and no others, on a port besides; as `listen`.
   * @throws an Error that names SWIFTCACHE_REDIS_TLS_PORT where no port could be had.
   */
  listenTls(options: DoorListenOptions): Promise<number>;
  /** Stops accepting, lets replies under way out for a moment, then ends every connection. */
  close(): Promise<void>;
  /** Ends the connections to an instance at once. */
  dropInstance(instanceId: string): void;
  /** Ends the connections of a key at once; where an instance is named, those to it. */
  dropKey(keyId: string, instanceId?: string): void;
}

type DoorListenOptions = Omit<ListenOptions, 'setting'>;

export interface EdgeLimits extends ConnectionLimits, HandshakeLimits {
  readonly connectionsMax: number;
  /** How long close() lets replies under way out. */
  readonly closeGraceMs: number;
}

const defaultLimits: EdgeLimits = {
  authenticationTimeoutMs: 10_000,
  instanceTimeoutMs: 5_000,
  wrongKeysMax: 10,
  connectionsMax: 10_000,
  closeGraceMs: 2_000,
  handshakeTimeoutMs: 5_000,
  handshakesMax: 256,
};

export interface EdgeDeps {
  readonly orm: Orm;
  readonly logger: Logger;
  readonly clock?: Clock;
  readonly limits?: Partial<EdgeLimits>;
  /** How often to ask the database about open ways; never where this process alone uses it. */
  readonly recheckMs?: number | undefined;
  readonly entrance?: EntranceSettings;
}

/** What stands before the door. */
export interface EntranceSettings {
  /** The service's own domain, under which instances have names. */
  readonly domain?: string | undefined;
  /** With a certificate TLS is spoken on every port; without, on none. */
  readonly certificate?: CertificateFiles | undefined;
  /** How often the certificate's files are looked at. */
  readonly certificateLookMs?: number;
  /** Balancers whose PROXY protocol headers are believed: addresses and ranges. */
  readonly proxiesFrom?: readonly string[];
}

const certificateLookMs = 5_000;

/**
 * Makes the door; it opens with `listen`.
 * @throws {CertificateError} when its certificate cannot be used.
 */
export function createEdge({
  orm,
  logger,
  clock = systemClock,
  limits: given,
  recheckMs,
  entrance: settings = {},
}: EdgeDeps): Edge {
  const limits = { ...defaultLimits, ...given };
  const keyUsage = createKeyUsage({ orm, logger, clock });
  const connections = new Set<Connection>();
  let keyDrops = 0;
  const certificate =
    settings.certificate &&
    watchCertificate(settings.certificate, {
      clock,
      logger,
      intervalMs: settings.certificateLookMs ?? certificateLookMs,
      onChange: (pair) => handshakes?.renew(pair),
    });
  const handshakes = certificate && createHandshakes(certificate.current(), limits);
  const entrance = createEntrance({
    logger,
    handshakes,
    domain: settings.domain,
    proxiesFrom: settings.proxiesFrom ?? [],
    timeoutMs: limits.authenticationTimeoutMs,
    onClient(client, from) {
      const { domain } = settings;
      const deps = { orm, logger, keyUsage, clock, limits, domain, keyDrops: () => keyDrops };
      const connection = new Connection(client, deps, from);
      connections.add(connection);
      client.once('close', () => connections.delete(connection));
    },
  });
  const makeServer = (takesTlsOnly: boolean): Server =>
    createServer(socketOptions, (client) => {
      const isFull = connections.size + entrance.size >= limits.connectionsMax;
      if (!isFull) entrance.admit(client, takesTlsOnly);
      else if (takesTlsOnly) client.destroy();
      else endWithWord(client, renderError(tooManyConnections));
    });
  const server = makeServer(false);
  const tlsServer = makeServer(true);

  async function open(listener: Server, options: ListenOptions): Promise<number> {
    const port = await listenOnPort(listener, options);
    // E.g. no file descriptor left for a new client: those who are connected go on.
    listener.on('error', (error) => logger.error({ err: error }, 'the redis:// port failed'));
    return port;
  }

  function dropWhere(matches: (connection: Connection) => boolean): void {
    for (const connection of connections) if (matches(connection)) connection.destroy();
  }

  async function recheck(): Promise<void> {
    const routes = [...connections].flatMap(({ route }) => route ?? []);
    if (routes.length === 0) return;
    const lost = await findLostWays(orm, routes);
    dropWhere(({ route }) => route !== undefined && lost.has(route));
  }

  const onError = (error: unknown): void => logger.warn({ err: error }, 'keys cannot be checked');
  const rechecking =
    recheckMs === undefined
      ? undefined
      : startRepeating(recheck, { intervalMs: recheckMs, onError });

  return {
    listen: (options) => open(server, options),
    listenTls: (options) => open(tlsServer, { ...options, setting: 'SWIFTCACHE_REDIS_TLS_PORT' }),
    async close() {
      const closed = Promise.all([closeServer(server), closeServer(tlsServer)]);
      entrance.close();
      for (const connection of connections) connection.finish();
      const patience = new AbortController();
      await Promise.race([closed, sleep(limits.closeGraceMs, undefined, patience).catch(() => {})]);
      patience.abort();
      dropWhere(() => true);
      await Promise.all([closed, rechecking?.stop(), certificate?.stop()]);
      await keyUsage.settle();
    },
    dropInstance: (instanceId) => dropWhere((connection) => connection.instanceId === instanceId),
    dropKey(keyId, instanceId) {
      keyDrops += 1;
      dropWhere((connection) => {
        const isThere = instanceId === undefined || connection.instanceId === instanceId;
        return connection.keyId === keyId && isThere;
      });
    },
  };
}

const socketOptions = {
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: keepAliveDelayMs,
  // A client may send its last command, close its side, and still get the reply.
  allowHalfOpen: true,
};

/** Accepts no more at once; resolves when the last connection has ended. */
async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return;
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
