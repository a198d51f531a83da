/**
 * TLS on connections that were accepted elsewhere: TLS 1.2 and newer, with one certificate for all names.
 *
 * Guarantees: a handshake ends in time, and only so many are under way at once: others wait in line, in
 * order, unread. A new certificate holds for handshakes that begin after it; connections stay.
 */
import type { Socket } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import type { CertificatePair } from './certificate.ts';
import type { DoorFigures } from './figures.ts';
import { readHandshakeFailure } from './handshake-failures.ts';

export interface HandshakeLimits {
  readonly handshakeTimeoutMs: number;
  readonly handshakesMax: number;
}

export interface Handshakes {
  /**
   * Begins one, now or when it is its turn. `onSecure` gets the connection; a handshake that fails closes
   * `raw`, and `onFailure` is told its reason.
   */
  begin(raw: Socket, outcome: Outcome): void;
  renew(pair: CertificatePair): void;
}

interface Outcome {
  readonly onSecure: (client: TLSSocket) => void;
  readonly onFailure: (reason: string) => void;
}

interface UnderWay {
  readonly raw: Socket;
  readonly outcome: Outcome;
  readonly onClose: () => void;
}

const minVersion = 'TLSv1.2';

export function createHandshakes(
  { cert, key }: CertificatePair,
  { handshakeTimeoutMs, handshakesMax }: HandshakeLimits,
  figures: Pick<DoorFigures, 'handshakes' | 'handshakeFailures'>,
): Handshakes {
  // It never listens: connections are handed to it, which Node documents for its `connection` event.
  const server = createServer({ cert, key, minVersion, handshakeTimeout: handshakeTimeoutMs });
  const underWay = new Map<string, UnderWay>();
  const waiting = new Map<Socket, Outcome>();

  server.on('secureConnection', (client) => {
    figures.handshakes += 1;
    const name = nameOf(client);
    const one = underWay.get(name);
    if (!one) {
      client.destroy();
      return;
    }
    // A connection lives long; nothing of its handshake needs to.
    one.raw.off('close', one.onClose);
    underWay.delete(name);
    one.outcome.onSecure(client);
    startNext();
  });
  server.on('tlsClientError', ({ code, message }: NodeJS.ErrnoException, client) => {
    figures.handshakeFailures[readHandshakeFailure(code)] += 1;
    underWay.get(nameOf(client))?.outcome.onFailure(code ?? message);
    // After a time-out Node leaves it open.
    client.destroy();
  });

  function start(raw: Socket, outcome: Outcome): void {
    const name = nameOf(raw);
    const onClose = (): void => {
      underWay.delete(name);
      startNext();
    };
    underWay.set(name, { raw, outcome, onClose });
    raw.once('close', onClose);
    server.emit('connection', raw);
  }

  function startNext(): void {
    if (underWay.size >= handshakesMax) return;
    const [next] = waiting;
    if (!next) return;
    waiting.delete(next[0]);
    if (next[0].destroyed) startNext();
    else start(...next);
  }

  return {
    begin(raw, outcome) {
      if (underWay.size < handshakesMax) {
        start(raw, outcome);
        return;
      }
      waiting.set(raw, outcome);
      raw.once('close', () => waiting.delete(raw));
    },
    renew: ({ cert, key }) => server.setSecureContext({ cert, key, minVersion }),
  };
}

/** What a connection and the TLS over it have in common: both its ends. */
function nameOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
