/**
 * One client's connection.
 *
 * States: `greeting` (until it has signed in: reception.ts) → `forwarding` (bytes go both ways, requests
 * counted: forwarding.ts) → `closed`; both may lead to `closed`. Only #enter changes the state.
 */
import type { Socket } from 'node:net';
import type { ConnectionDeps } from './connection-deps.ts';
import type { Origin } from './entrance.ts';
import type { RefusalReason } from './figures.ts';
import { Forwarding, lingerMs } from './forwarding.ts';
import type { KeyUse } from './key-uses.ts';
import { type Host, Reception } from './reception.ts';
import { createRequestJudge } from './request-judge.ts';
import type { Route } from './route.ts';
import { Seat } from './seat.ts';

type State = 'greeting' | 'forwarding' | 'closed';

export class Connection {
  readonly #client: Socket;
  readonly #deps: ConnectionDeps;
  readonly #from: Origin;
  readonly #startedAtMs = performance.now();
  readonly #seat: Seat;
  #reception: Reception | undefined;
  #state: State = 'greeting';
  #forwarding: Forwarding | undefined;
  #linger: NodeJS.Timeout | undefined;
  #lastBytesAtMs = this.#startedAtMs;

  constructor(client: Socket, deps: ConnectionDeps, from: Origin) {
    this.#client = client;
    this.#deps = deps;
    this.#from = from;
    deps.figures.accepted += 1;
    this.#seat = new Seat(deps.keyUses);
    const host: Host = {
      admit: (upstream, bytes) => this.#forward(upstream, bytes),
      endWith: (reply, reason) => this.#endWith(reply, reason),
      cut: (reason, counted) => this.#cut(reason, counted),
      log: (details, message) => this.#log(details, message),
    };
    this.#reception = new Reception(client, deps, { from, seat: this.#seat, host });
    // An error is followed by `close`, which does what is to be done.
    client.on('error', (error) => this.#log({ error: error.message }, 'redis client failed'));
    client.once('close', this.#onClientClose);
  }

  /** Where it leads, once its key is known to be good. */
  get route(): Route | undefined {
    return this.#seat.route;
  }

  get isSignedIn(): boolean {
    return this.#state === 'forwarding';
  }

  /** Ends both sides at once. */
  destroy(): void {
    this.#client.destroy();
    this.#forwarding?.destroy();
  }

  /** Takes no more commands; the replies under way are still delivered, then both sides close. */
  finish(): void {
    if (this.#forwarding) this.#forwarding.finish();
    else this.destroy();
  }

  /** Ends it where its time is over. @param nowMs by performance.now(); @param now by the clock. */
  check(nowMs: number, now: Date): void {
    if (this.#state !== 'forwarding') return;
    const { unreadTimeoutMs, idleTimeoutMs } = this.#deps.limits;
    const expiresAt = this.#seat.use?.terms.key.expiresAt;
    const fullSinceMs = this.#forwarding?.clientFullSinceMs ?? 0;
    if (expiresAt != null && expiresAt <= now) this.#cut('the key has expired', 'key_expired');
    else if (fullSinceMs > 0 && nowMs - fullSinceMs > unreadTimeoutMs) {
      this.#cut('replies are not read', 'replies_not_read');
    } else if (idleTimeoutMs > 0 && nowMs - this.#lastBytesAtMs > idleTimeoutMs) {
      this.#cut('idle', 'idle');
    }
  }

  #enter(state: State): void {
    this.#state = state;
    if (!this.#reception) return;
    this.#reception.end();
    this.#reception = undefined;
    this.#deps.onSettled();
  }

  #onClientClose = (): void => {
    this.#enter('closed');
    clearTimeout(this.#linger);
    this.#seat.leave();
    const durationMs = Math.round(performance.now() - this.#startedAtMs);
    const { bytesRead: bytesIn, bytesWritten: bytesOut } = this.#client;
    this.#log({ bytesIn, bytesOut, durationMs }, 'redis connection closed');
  };

  #forward(upstream: Socket, bytes: Parameters<Forwarding['start']>[0]): void {
    const client = this.#client;
    const { figures, keyUsage } = this.#deps;
    const route = this.#seat.route as Route;
    const keyId = route.key.id;
    this.#enter('forwarding');
    figures.opened += 1;
    keyUsage.touchKey(keyId);
    this.#log({}, 'redis connection opened');
    this.#forwarding = new Forwarding(client, upstream, {
      ...createRequestJudge(this.#deps, {
        route,
        use: this.#seat.use as KeyUse,
        address: this.#from.address,
      }),
      noteRequests: (bytes) => {
        figures.bytesIn += bytes;
        this.#lastBytesAtMs = performance.now();
        keyUsage.touchKey(keyId);
        return figures.held.requests.sample();
      },
      noteReplies: (bytes) => {
        figures.bytesOut += bytes;
        this.#lastBytesAtMs = performance.now();
        return figures.held.replies.sample();
      },
    });
    this.#forwarding.start(bytes);
  }

  /** Says a last word. The client's input is read and thrown away, or the word might never arrive. */
  #endWith(reply: Buffer, reason: string): void {
    this.#enter('closed');
    this.#log({ reason }, 'redis connection ended');
    this.#client.end(reply);
    this.#client.resume();
    this.#linger = setTimeout(() => this.#client.destroy(), lingerMs);
  }

  #cut(reason: string, counted?: RefusalReason): void {
    this.#enter('closed');
    if (counted) this.#deps.figures.refusals[counted] += 1;
    this.#log({ reason }, 'redis connection cut');
    this.destroy();
  }

  #log(details: object, message: string): void {
    const { logger } = this.#deps;
    if (!logger.isLevelEnabled('debug')) return;
    const { address, port } = this.#from;
    const { key, instance } = this.#seat.route ?? {};
    const ids = { keyId: key?.id, instanceId: instance?.id };
    logger.debug({ client: `${address}:${port}`, ...ids, ...details }, message);
  }
}
