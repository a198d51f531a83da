/**
 * Receives a client: reads its requests and answers them here, until one of them signs it in.
 *
 * States: `greeting` (requests are read and answered) → `opening` (a sign-in is being checked and the instance
 * opened; nothing is read from the client, so what it sends waits in order) → `over`. A refused sign-in leads
 * from `opening` back to `greeting`; both may lead to `over`. It goes when it is over: most connections are
 * idle most of the time, and need nothing of it.
 */
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectionDeps } from './connection-deps.ts';
import type { Origin } from './entrance.ts';
import type { RefusalReason } from './figures.ts';
import { answerGreeting, type SignIn } from './greeting.ts';
import { openRoute } from './opening.ts';
import * as refusals from './refusals.ts';
import { createRequestReader } from './resp-request.ts';
import type { Seat } from './seat.ts';
import type { Opening } from './upstream.ts';

/** Replies that a client leaves unread before it has signed in. */
const unreadBytesMax = 64 * 1024;

/** Whose client it is. */
export interface Host {
  /** Gets the client signed in: what Redis answered for it, and what it has sent behind its sign-in. */
  admit(upstream: Socket, bytes: { answer: Buffer; early: Buffer }): void;
  /** Says a last word and closes. */
  endWith(reply: Buffer, reason: string): void;
  /** Closes at once. */
  cut(reason: string, counted?: RefusalReason): void;
  log(details: object, message: string): void;
}

type State = 'greeting' | 'opening' | 'over';

export class Reception {
  readonly #client: Socket;
  readonly #deps: ConnectionDeps;
  readonly #from: Origin;
  readonly #seat: Seat;
  readonly #host: Host;
  readonly #deadline: NodeJS.Timeout;
  readonly #reader = createRequestReader();
  readonly #gone = new AbortController();
  #state: State = 'greeting';
  #isOverdue = false;
  #wrongKeys = 0;

  constructor(
    client: Socket,
    deps: ConnectionDeps,
    { from, seat, host }: { from: Origin; seat: Seat; host: Host },
  ) {
    this.#client = client;
    this.#deps = deps;
    this.#from = from;
    this.#seat = seat;
    this.#host = host;
    this.#deadline = setTimeout(this.#onDeadline, deps.limits.authenticationTimeoutMs);
    client.on('data', this.#onData).on('end', this.#onEnd);
  }

  /** Reads and answers no more, and gives up what is being opened. */
  end(): void {
    this.#state = 'over';
    clearTimeout(this.#deadline);
    this.#client.off('data', this.#onData).off('end', this.#onEnd);
    this.#gone.abort();
  }

  #onData = (chunk: Buffer): void => {
    // One chunk at a time: the next is read when everything in this one has been answered.
    this.#client.pause();
    this.#reader.push(chunk);
    this.#answerRequests().catch((error: unknown) => {
      this.#logError(error, 'redis connection failed');
      this.#client.destroy();
    });
  };

  #onEnd = (): void => {
    // Node tells of the end even while the client is paused; a sign-in under way goes on first.
    if (this.#state === 'greeting') this.#client.end();
  };

  #onDeadline = (): void => {
    this.#isOverdue = true;
    if (this.#state === 'greeting') {
      this.#host.cut('no authentication in time', 'no_sign_in_in_time');
    }
  };

  async #answerRequests(): Promise<void> {
    while (this.#state === 'greeting') {
      const read = this.#reader.next();
      if (read.kind === 'incomplete') {
        if (this.#client.readableEnded) this.#client.end();
        else this.#client.resume();
        return;
      }
      if (read.kind === 'malformed') {
        const refusal = refusals.plainError(read.message);
        this.#host.endWith(refusals.renderError(refusal), read.message);
        return;
      }
      const answer = answerGreeting(read.args);
      if (answer.kind === 'hang-up') this.#host.cut('an HTTP request');
      else if (answer.kind === 'sign-in') await this.#signIn(answer);
      else if (answer.kind === 'refuse') this.#reply(refusals.renderError(answer.refusal));
      else if (answer.close) this.#host.endWith(Buffer.from(answer.reply), 'QUIT');
      else this.#reply(Buffer.from(answer.reply));
    }
  }

  async #signIn(request: SignIn): Promise<void> {
    this.#state = 'opening';
    const { failures, figures } = this.#deps;
    const startedMs = performance.now();
    const refusedS = failures.readRefusedS(this.#from.address);
    const opening = refusedS > 0 ? refusals.tooManyFailures(refusedS) : await this.#open(request);
    if (this.#isOver()) {
      if ('answer' in opening) opening.socket?.destroy();
    } else if ('code' in opening) await this.#refuse(opening, refusals.renderError(opening));
    else if (opening.socket) {
      figures.openingSeconds += (performance.now() - startedMs) / 1_000;
      this.#host.admit(opening.socket, { answer: opening.answer, early: this.#reader.rest() });
    } else await this.#refuse(refusals.readRefusal(opening.answer), opening.answer);
  }

  async #open({ user, secret, encodeFor }: SignIn): Promise<Opening | refusals.Refusal> {
    const { address, serverName } = this.#from;
    const { instanceTimeoutMs, instanceWaitMs } = this.#deps.limits;
    const { signal } = this.#gone;
    try {
      return await openRoute({
        principals: this.#deps.principals,
        domain: this.#deps.domain,
        credentials: { user, secret, address, serverName },
        encodeFor,
        instanceTimeoutMs,
        instanceWaitMs,
        signal,
        onRoute: (route) => this.#seat.take(route),
        onFailure: ({ message }) => this.#host.log({ error: message }, 'redis instance not opened'),
      });
    } catch (error) {
      if (!signal.aborted) this.#logError(error, 'keys cannot be checked');
      return refusals.cannotCheckKey;
    }
  }

  async #refuse(refusal: Omit<refusals.Refusal, 'message'>, reply: Buffer): Promise<void> {
    const { failures, figures, limits } = this.#deps;
    this.#host.log({ reason: refusal.reason }, 'redis authentication refused');
    figures.refusals[refusal.counted ?? 'other'] += 1;
    this.#seat.leave();
    this.#seat.route = undefined;
    if (refusal.code === 'WRONGPASS') {
      this.#wrongKeys += 1;
      const delayMs = failures.note(this.#from.address);
      if (delayMs > 0) await sleep(delayMs);
      if (this.#isOver()) return;
    }
    if (this.#isOverdue || this.#wrongKeys >= limits.wrongKeysMax) {
      const reason = this.#isOverdue ? 'no authentication in time' : 'too many wrong keys';
      this.#host.endWith(reply, reason);
      return;
    }
    this.#state = 'greeting';
    this.#reply(reply);
  }

  #reply(reply: Buffer): void {
    this.#client.write(reply);
    if (this.#client.writableLength > unreadBytesMax) this.#host.cut('replies are not read');
  }

  #isOver(): boolean {
    return this.#state === 'over' || this.#client.destroyed;
  }

  #logError(error: unknown, message: string): void {
    const { address, port } = this.#from;
    this.#deps.logger.error({ client: `${address}:${port}`, err: error }, message);
  }
}
