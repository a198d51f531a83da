/**
 * What stands before a client's Connection: who it is (the PROXY protocol) and how it speaks (TLS or not).
 *
 * Each accepted connection: `header` (a believed balancer says whose connection this is; others skip it) →
 * `first byte` (0x16 begins TLS, anything else is plain) → `handshake` → handed on, with its true address
 * and the instance that its TLS server name means. Each may end in a refusal.
 *
 * Guarantees: a believed balancer's connection without a header is refused, and so is a header from anybody
 * else; bytes and time are bounded; not one byte is lost or read twice on the way; who comes with TLS to a
 * port without, or without to a port of TLS, is told in a way that its client can show.
 */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { instanceOfHostname } from '../instances/host-names.ts';
import { allowsAddress } from '../keys/address-rules.ts';
import type { Logger } from '../lib/logger.ts';
import type { DoorFigures, RefusalReason } from './figures.ts';
import type { Handshakes } from './handshakes.ts';
import { endWithWord } from './last-word.ts';
import { beginsProxyHeader, readProxyHeader, type Source } from './proxy-header.ts';
import { foreignProxyHeader, type Refusal, renderError, tlsOnly } from './refusals.ts';
import type { UnknownClients } from './unknown-clients.ts';

/** Where a client comes from, and whom it asked for. */
export interface Origin {
  /** The client's own, as a believed balancer told it where there is one. */
  readonly address: string;
  readonly port: number;
  /** The id of the instance that the TLS server name means. */
  readonly serverName: string | undefined;
}

export interface EntranceDeps {
  readonly logger: Logger;
  /** Undefined: no TLS here. */
  readonly handshakes: Handshakes | undefined;
  /** The service's own domain, under which instances have names. */
  readonly domain: string | undefined;
  /** Whose PROXY protocol headers are believed, and demanded. */
  readonly proxiesFrom: readonly string[];
  readonly figures: Pick<DoorFigures, 'refusals'>;
  /** For all that happens here, the handshake included. */
  readonly timeoutMs: number;
  readonly unknown: UnknownClients;
  /** Gets each one whose address has its share of the door, without having signed in. */
  readonly onTooMany: (raw: Socket, takesTlsOnly: boolean) => void;
  /** Gets each client that is let through, paused; the entrance lets it flow. */
  readonly onClient: (client: Socket, from: Origin) => void;
}

export interface Entrance {
  /** Takes an accepted connection. @param takesTlsOnly what its port is for. */
  admit(raw: Socket, takesTlsOnly: boolean): void;
  /** How many are in here. */
  readonly size: number;
  /** Ends those that are in here. */
  close(): void;
}

const handshakeRecord = 0x16;

/** A fatal alert `handshake_failure`, in the form of every version of TLS: clients show it as such. */
const alert = Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28]);

const tlsNotOffered = { reason: 'TLS on a port without', counted: 'tls_not_offered' } as const;

export function createEntrance(deps: EntranceDeps): Entrance {
  const arrivals = new Set<Arrival>();
  return {
    admit(raw, takesTlsOnly) {
      // Without an address it is gone already, and nobody to believe or to let in.
      if (raw.remoteAddress === undefined) {
        raw.on('error', () => {}).destroy();
        return;
      }
      // Whose connection a balancer's is, is not known yet; its client is counted when it is.
      const isProxied =
        deps.proxiesFrom.length > 0 && allowsAddress(deps.proxiesFrom, raw.remoteAddress);
      const leave = isProxied ? () => {} : deps.unknown.enter(raw.remoteAddress);
      if (!leave) {
        deps.onTooMany(raw, takesTlsOnly);
        return;
      }
      const onDone = (arrival: Arrival): void => {
        if (arrivals.delete(arrival)) leave();
      };
      arrivals.add(new Arrival(raw, { ...deps, takesTlsOnly, isProxied, onDone }));
    },
    get size() {
      return arrivals.size;
    },
    close() {
      for (const arrival of arrivals) arrival.destroy();
    },
  };
}

interface ArrivalDeps extends EntranceDeps {
  readonly takesTlsOnly: boolean;
  /** Whether a header is demanded of it. */
  readonly isProxied: boolean;
  readonly onDone: (arrival: Arrival) => void;
}

class Arrival {
  readonly #raw: Socket;
  readonly #deps: ArrivalDeps;
  readonly #deadline: NodeJS.Timeout;
  #source: Source;
  /** Of a header that is not whole yet. */
  #header: Buffer | undefined;

  constructor(raw: Socket, deps: ArrivalDeps) {
    this.#raw = raw;
    this.#deps = deps;
    this.#source = { address: raw.remoteAddress ?? '', port: raw.remotePort ?? 0 };
    if (deps.isProxied) this.#header = Buffer.alloc(0);
    this.#deadline = setTimeout(() => this.#onDeadline(), deps.timeoutMs);
    raw.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onError);
    raw.once('close', this.#onClose);
  }

  destroy(): void {
    this.#raw.destroy();
  }

  #onData = (chunk: Buffer): void => {
    if (this.#header !== undefined) this.#readHeader(Buffer.concat([this.#header, chunk]));
    else this.#decide(chunk);
  };

  #onDeadline(): void {
    this.#cut('no authentication in time', 'no_sign_in_in_time');
  }

  /** It left, or only looked whether somebody is here. */
  #onEnd = (): void => this.#cut('closed before its first byte');

  #onError = (error: Error): void => this.#log({ error: error.message }, 'redis client failed');

  #onClose = (): void => this.#leave();

  #readHeader(bytes: Buffer): void {
    const read = readProxyHeader(bytes);
    if (read.kind === 'incomplete') {
      this.#header = bytes;
      return;
    }
    if (read.kind === 'malformed') {
      this.#cut(`${read.problem} from a balancer`, 'proxy_header');
      return;
    }
    this.#header = undefined;
    this.#source = read.source ?? this.#source;
    if (bytes.length > read.size) this.#decide(bytes.subarray(read.size));
  }

  /** Decides by the first bytes that are the client's own. */
  #decide(bytes: Buffer): void {
    const { handshakes, takesTlsOnly, isProxied } = this.#deps;
    if (bytes[0] === handshakeRecord) {
      if (handshakes) this.#secure(handshakes, bytes);
      else this.#refuse(alert, tlsNotOffered);
    } else if (!isProxied && beginsProxyHeader(bytes)) {
      this.#refuse(renderError(foreignProxyHeader), foreignProxyHeader);
    } else if (takesTlsOnly) {
      this.#refuse(renderError(tlsOnly), tlsOnly);
    } else {
      this.#giveBack(bytes);
      this.#handOn(this.#raw, undefined);
    }
  }

  #secure(handshakes: Handshakes, bytes: Buffer): void {
    this.#giveBack(bytes);
    handshakes.begin(this.#raw, {
      onSecure: (client) => this.#handOn(client, this.#findServerName(client)),
      onFailure: (reason) => this.#log({ reason }, 'TLS handshake failed'),
    });
  }

  #findServerName(client: TLSSocket): string | undefined {
    const { domain } = this.#deps;
    // Documented with the server's `secureConnection`; its types leave it out. False: no name was sent.
    const { servername } = client as TLSSocket & { readonly servername?: string | false };
    return domain && servername ? instanceOfHostname(servername, domain) : undefined;
  }

  /** What was read is read once more by whoever comes next. */
  #giveBack(bytes: Buffer): void {
    this.#raw.pause();
    this.#raw.off('data', this.#onData).off('end', this.#onEnd);
    this.#raw.unshift(bytes);
  }

  #handOn(client: Socket, serverName: string | undefined): void {
    this.#raw.off('close', this.#onClose).off('error', this.#onError);
    // TLS tells errors of its own; the connection below may still have one, and nobody else listens.
    if (client instanceof TLSSocket) this.#raw.on('error', () => {});
    this.#leave();
    this.#deps.onClient(client, { ...this.#source, serverName });
    client.resume();
  }

  #refuse(word: Buffer, { reason, counted }: Required<Pick<Refusal, 'reason' | 'counted'>>): void {
    this.#log({ reason }, 'redis client refused');
    this.#deps.figures.refusals[counted] += 1;
    this.#raw.off('data', this.#onData).off('end', this.#onEnd);
    clearTimeout(this.#deadline);
    endWithWord(this.#raw, word);
  }

  #cut(reason: string, counted?: RefusalReason): void {
    this.#log({ reason }, 'redis connection cut');
    if (counted) this.#deps.figures.refusals[counted] += 1;
    this.#raw.destroy();
  }

  #leave(): void {
    clearTimeout(this.#deadline);
    this.#deps.onDone(this);
  }

  #log(details: object, message: string): void {
    const { address, port } = this.#source;
    this.#deps.logger.debug({ client: `${address}:${port}`, ...details }, message);
  }
}
