/**
 * One client's connection.
 *
 * States: `greeting` (requests are read and answered here) → `opening` (a sign-in is being checked and
 * the instance opened; nothing is read from the client, so what it sends waits in order) →
 * `forwarding` (bytes go both ways, requests counted) → `closed`. A refused sign-in leads from `opening` back
 * to `greeting`; every state may lead to `closed`. Only #enter changes the state.
 */
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectionDeps } from './connection-deps.ts';
import type { Origin } from './entrance.ts';
import type { RefusalReason } from './figures.ts';
import { Forwarding, lingerMs } from './forwarding.ts';
import { answerGreeting, type SignIn } from './greeting.ts';
import type { KeyUse } from './key-uses.ts';
import { openRoute } from './opening.ts';
import * as refusals from './refusals.ts';
import { createRequestJudge } from './request-judge.ts';
import { createRequestReader } from './resp-request.ts';
import type { Route } from './route.ts';
import type { Opening } from './upstream.ts';

/** Replies that a client leaves unread before it has signed in. */
const unreadBytesMax = 64 * 1024;

type State = 'greeting' | 'opening' | 'forwarding' | 'closed';

export class Connection {
  readonly #client: Socket;
  readonly #deps: ConnectionDeps;
  readonly #from: Origin;
  readonly #startedAtMs = performance.now();
  readonly #deadline: NodeJS.Timeout;
  // These three are for the sign-in, and go when it is done: most connections are idle most of the time.
  #reader: ReturnType<typeof createRequestReader> | undefined = createRequestReader();
  #gone: AbortController | undefined = new AbortController();
  #state: State = 'greeting';
  #isOverdue = false;
  #wrongKeys = 0;
  #route: Route | undefined;
  #use: KeyUse | undefined;
  #forwarding: Forwarding | undefined;
  #linger: NodeJS.Timeout | undefined;
  #lastBytesAtMs = this.#startedAtMs;

  constructor(client: Socket, deps: ConnectionDeps, from: Origin) {
    this.#client = client;
    this.#deps = deps;
    this.#from = from;
    deps.figures.accepted += 1;
    this.#deadline = setTimeout(this.#onDeadline, deps.limits.authenticationTimeoutMs);
    client.on('data', this.#onData);
    client.on('end', this.#onEnd);
    // An error is followed by `close`, which does what is to be done.
    client.on('error', (error) => this.#log({ error: error.message }, 'redis client failed'));
    client.once('close', this.#onClientClose);
  }

  /** Where it leads, once its key is known to be good. */
  get route(): Route | undefined {
    return this.#route;
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
    const expiresAt = this.#use?.terms.key.expiresAt;
    const fullSinceMs = this.#forwarding?.clientFullSinceMs ?? 0;
    if (expiresAt != null && expiresAt <= now) this.#cut('the key has expired', 'key_expired');
    else if (fullSinceMs > 0 && nowMs - fullSinceMs > unreadTimeoutMs) {
      this.#cut('replies are not read', 'replies_not_read');
    } else if (idleTimeoutMs > 0 && nowMs - this.#lastBytesAtMs > idleTimeoutMs) {
      this.#cut('idle', 'idle');
    }
  }

  #enter(state: State): void {
    const isFirst = this.#state === 'greeting' || this.#state === 'opening';
    this.#state = state;
    if (state !== 'forwarding' && state !== 'closed') return;
    clearTimeout(this.#deadline);
    if (isFirst) this.#deps.onSettled();
  }

  #onData = (chunk: Buffer): void => {
    // One chunk at a time: the next is read when everything in this one has been answered.
    this.#client.pause();
    this.#reader?.push(chunk);
    this.#answerRequests().catch((error: unknown) => {
      this.#deps.logger.error({ client: this.#name, err: error }, 'redis connection failed');
      this.destroy();
    });
  };

  #onEnd = (): void => {
    // Node tells of the end even while the client is paused; a sign-in under way goes on first.
    if (this.#state === 'greeting') this.#client.end();
  };

  #onDeadline = (): void => {
    this.#isOverdue = true;
    if (this.#state === 'greeting') this.#cut('no authentication in time', 'no_sign_in_in_time');
  };

  #onClientClose = (): void => {
    this.#enter('closed');
    clearTimeout(this.#linger);
    this.#gone?.abort();
    this.#leave();
    const durationMs = Math.round(performance.now() - this.#startedAtMs);
    const { bytesRead: bytesIn, bytesWritten: bytesOut } = this.#client;
    this.#log({ bytesIn, bytesOut, durationMs }, 'redis connection closed');
  };

  async #answerRequests(): Promise<void> {
    while (this.#state === 'greeting' && this.#reader) {
      const read = this.#reader.next();
      if (read.kind === 'incomplete') {
        if (this.#client.readableEnded) this.#client.end();
        else this.#client.resume();
        return;
      }
      if (read.kind === 'malformed') {
        this.#endWith(refusals.renderError(refusals.plainError(read.message)), read.message);
        return;
      }
      const answer = answerGreeting(read.args);
      if (answer.kind === 'hang-up') this.#cut('an HTTP request');
      else if (answer.kind === 'sign-in') await this.#signIn(answer);
      else if (answer.kind === 'refuse') this.#reply(refusals.renderError(answer.refusal));
      else if (answer.close) this.#endWith(Buffer.from(answer.reply), 'QUIT');
      else this.#reply(Buffer.from(answer.reply));
    }
  }

  async #signIn(request: SignIn): Promise<void> {
    this.#enter('opening');
    const startedMs = performance.now();
    const refusedS = this.#deps.failures.readRefusedS(this.#from.address);
    const opening = refusedS > 0 ? refusals.tooManyFailures(refusedS) : await this.#open(request);
    if (this.#isClosed()) {
      if ('answer' in opening) opening.socket?.destroy();
    } else if ('code' in opening) await this.#refuseSignIn(opening, refusals.renderError(opening));
    else if (opening.socket) {
      this.#deps.figures.openingSeconds += (performance.now() - startedMs) / 1_000;
      this.#forward(opening.socket, opening.answer);
    } else await this.#refuseSignIn(refusals.readRefusal(opening.answer), opening.answer);
  }

  async #open({ user, secret, encodeFor }: SignIn): Promise<Opening | refusals.Refusal> {
    const { address, serverName } = this.#from;
    const { instanceTimeoutMs, instanceWaitMs } = this.#deps.limits;
    const { signal } = this.#gone as AbortController;
    try {
      return await openRoute({
        principals: this.#deps.principals,
        domain: this.#deps.domain,
        credentials: { user, secret, address, serverName },
        encodeFor,
        instanceTimeoutMs,
        instanceWaitMs,
        signal,
        onRoute: (route) => this.#join(route),
        onFailure: ({ message }) => this.#log({ error: message }, 'redis instance not opened'),
      });
    } catch (error) {
      if (!signal.aborted) {
        this.#deps.logger.error({ client: this.#name, err: error }, 'keys cannot be checked');
      }
      return refusals.cannotCheckKey;
    }
  }

  /** Takes a place among the key's connections; from here on dropKey and dropInstance find this one. */
  #join(route: Route): refusals.Refusal | undefined {
    this.#leave();
    const joined = this.#deps.keyUses.join(route);
    if ('code' in joined) return joined;
    this.#route = route;
    this.#use = joined;
    return undefined;
  }

  #leave(): void {
    if (this.#use) this.#deps.keyUses.leave(this.#use);
    this.#use = undefined;
  }

  async #refuseSignIn(refusal: Omit<refusals.Refusal, 'message'>, reply: Buffer): Promise<void> {
    this.#log({ reason: refusal.reason }, 'redis authentication refused');
    this.#count(refusal.counted ?? 'other');
    this.#leave();
    this.#route = undefined;
    if (refusal.code === 'WRONGPASS') {
      this.#wrongKeys += 1;
      const delayMs = this.#deps.failures.note(this.#from.address);
      if (delayMs > 0) await sleep(delayMs);
      if (this.#isClosed()) return;
    }
    if (this.#isOverdue || this.#wrongKeys >= this.#deps.limits.wrongKeysMax) {
      this.#endWith(reply, this.#isOverdue ? 'no authentication in time' : 'too many wrong keys');
      return;
    }
    this.#enter('greeting');
    this.#reply(reply);
  }

  #forward(upstream: Socket, answer: Buffer): void {
    const client = this.#client;
    const { figures, keyUsage } = this.#deps;
    const keyId = this.#route?.key.id as string;
    const early = this.#reader?.rest() ?? Buffer.alloc(0);
    this.#reader = undefined;
    this.#gone = undefined;
    this.#enter('forwarding');
    figures.opened += 1;
    keyUsage.touchKey(keyId);
    this.#log({}, 'redis connection opened');
    client.off('data', this.#onData).off('end', this.#onEnd);
    this.#forwarding = new Forwarding(client, upstream, {
      ...createRequestJudge(this.#deps, {
        route: this.#route as Route,
        use: this.#use as KeyUse,
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
    this.#forwarding.start({ answer, early });
  }

  #reply(reply: Buffer): void {
    this.#client.write(reply);
    if (this.#client.writableLength > unreadBytesMax) this.#cut('replies are not read');
  }

  /** Says a last word. The client's input is read and thrown away, or the word might never arrive. */
  #endWith(reply: Buffer, reason: string): void {
    this.#enter('closed');
    this.#log({ reason }, 'redis connection ended');
    this.#client.off('data', this.#onData);
    this.#client.end(reply);
    this.#client.resume();
    this.#linger = setTimeout(() => this.#client.destroy(), lingerMs);
  }

  #cut(reason: string, counted?: RefusalReason): void {
    this.#enter('closed');
    if (counted) this.#count(counted);
    this.#log({ reason }, 'redis connection cut');
    this.destroy();
  }

  #count(reason: RefusalReason): void {
    this.#deps.figures.refusals[reason] += 1;
  }

  #isClosed(): boolean {
    return this.#state === 'closed' || this.#client.destroyed;
  }

  get #name(): string {
    return `${this.#from.address}:${this.#from.port}`;
  }

  #log(details: object, message: string): void {
    const { logger } = this.#deps;
    if (!logger.isLevelEnabled('debug')) return;
    const keyId = this.#route?.key.id;
    const instanceId = this.#route?.instance.id;
    logger.debug({ client: this.#name, keyId, instanceId, ...details }, message);
  }
}
