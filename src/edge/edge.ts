/**
 * The redis:// front door: one TCP port for all instances, and where there is a certificate one for TLS.
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
 *   database the door asks every `recheckMs` about the ways that it holds open.
 * - No secret, command or value is logged.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../lib/clock.ts';
import { type CertificateFiles, watchCertificate } from './certificate.ts';
import { type ClientLimits, type ClientsDeps, createClients } from './clients.ts';
import { createEntrance } from './entrance.ts';
import type { Figures } from './exposed-figures.ts';
import { createHandshakes, type HandshakeLimits } from './handshakes.ts';
import { watchLoopDelay } from './loop-delay.ts';
import { type ListenOptions, listenOnPort, releasePort } from './port.ts';
import { createUnknownClients } from './unknown-clients.ts';
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
  /** What it has counted since it was made, and how much is open now. */
  readFigures(): Figures;
}

type DoorListenOptions = Omit<ListenOptions, 'setting'>;

export interface EdgeLimits extends ClientLimits, HandshakeLimits {
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
  // What another server removed must be shut here within a second.
  recheckMs: 500,
  handshakeTimeoutMs: 5_000,
  handshakesMax: 256,
};

export interface EdgeDeps extends Omit<ClientsDeps, 'clock' | 'limits' | 'domain' | 'unknown'> {
  readonly clock?: ClientsDeps['clock'];
  readonly limits?: Partial<EdgeLimits>;
  readonly entrance?: EntranceSettings;
}

/** What an operator says of what stands before the door, and of how long a client may be silent. */
export interface EntranceSettings {
  /** The service's own domain, under which instances have names. */
  readonly domain?: string | undefined;
  /** With a certificate TLS is spoken on every port; without, on none. */
  readonly certificate?: CertificateFiles | undefined;
  /** Whether `listen`'s port takes connections without TLS, too; it does unless told. */
  readonly takesPlain?: boolean | undefined;
  /** How often the certificate's files are looked at. */
  readonly certificateLookMs?: number;
  /** Balancers whose PROXY protocol headers are believed: addresses and ranges. */
  readonly proxiesFrom?: readonly string[];
  /** How long nothing may pass either way on a connection that is signed in; 0, and unless told: for ever. */
  readonly idleTimeoutMs?: number;
}

const certificateLookMs = 5_000;

/**
 * Makes the door; it opens with `listen`.
 * @throws {CertificateError} when its certificate cannot be used.
 */
export function createEdge({
  clock = systemClock,
  limits: given,
  entrance: settings = {},
  ...deps
}: EdgeDeps): Edge {
  const { logger } = deps;
  const idleTimeoutMs = settings.idleTimeoutMs ?? defaultLimits.idleTimeoutMs;
  const limits = { ...defaultLimits, idleTimeoutMs, ...given };
  const unknown = createUnknownClients(limits);
  const clients = createClients({ ...deps, clock, limits, unknown, domain: settings.domain });
  const turnAway = (client: Socket, takesTlsOnly: boolean): void => {
    // Who speaks TLS would not understand the word.
    if (takesTlsOnly) client.destroy();
    else clients.turnAway(client);
  };
  const certificate =
    settings.certificate &&
    watchCertificate(settings.certificate, {
      clock,
      logger,
      intervalMs: settings.certificateLookMs ?? certificateLookMs,
      onChange: (pair) => handshakes?.renew(pair),
    });
  const handshakes =
    certificate && createHandshakes(certificate.current(), limits, clients.figures);
  const loopDelay = watchLoopDelay();
  const entrance = createEntrance({
    logger,
    handshakes,
    domain: settings.domain,
    proxiesFrom: settings.proxiesFrom ?? [],
    figures: clients.figures,
    timeoutMs: limits.authenticationTimeoutMs,
    unknown,
    onTooMany: turnAway,
    onClient: (client, from) => clients.accept(client, from),
  });
  const makeServer = (takesTlsOnly: boolean): Server =>
    createServer(socketOptions, (client) => {
      const isFull = clients.size + entrance.size >= limits.connectionsMax;
      if (!isFull) entrance.admit(client, takesTlsOnly);
      else turnAway(client, takesTlsOnly);
    });
  const server = makeServer(settings.takesPlain === false);
  const tlsServer = makeServer(true);

  async function open(listener: Server, options: ListenOptions): Promise<number> {
    const port = await listenOnPort(listener, options);
    // E.g. no file descriptor left for a new client: those who are connected go on.
    listener.on('error', (error) => logger.error({ err: error }, 'the redis:// port failed'));
    return port;
  }

  return {
    listen: (options) => open(server, options),
    listenTls: (options) => open(tlsServer, { ...options, setting: 'SWIFTCACHE_REDIS_TLS_PORT' }),
    async close() {
      const closed = Promise.all([releasePort(server), releasePort(tlsServer)]);
      entrance.close();
      clients.finish();
      const patience = new AbortController();
      await Promise.race([closed, sleep(limits.closeGraceMs, undefined, patience).catch(() => {})]);
      patience.abort();
      loopDelay.stop();
      await Promise.all([clients.close(), closed, certificate?.stop()]);
    },
    dropInstance: clients.dropInstance,
    dropKey: clients.dropKey,
    readFigures() {
      const signedIn = clients.countSignedIn();
      const { refusals, handshakeFailures, held, ...counters } = clients.figures;
      const connections = clients.size + entrance.size;
      return {
        counters,
        refusals,
        handshakeFailures,
        held: { requests: held.requests.read(), replies: held.replies.read() },
        gauges: { connections, signed_in_connections: signedIn },
        peaks: { event_loop_delay_seconds: loopDelay.readS() },
        lows: certificate ? { certificate_remaining_seconds: certificate.readLeftS() } : {},
      };
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
