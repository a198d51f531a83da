/**
 * One client's connection.
 *
 * States: `greeting` (requests are read and answered here) → `opening` (a sign-in is being checked and
 * the instance opened; nothing is read from the client, so what it sends waits in order) →
 * `forwarding` (bytes go both ways untouched) → `closed`. A refused sign-in leads from `opening` back
 * to `greeting`; every state may lead to `closed`. Only #enter changes the state.
 */
import type { Socket } from 'node:net';
import type { KeyUsage } from '../keys/key-usage.ts';
import type { Logger } from '../lib/logger.ts';
import type { Origin } from './entrance.ts';
import { finishUpstream, forwardBytes, lingerMs } from './forwarding.ts';
import { answerGreeting, type SignIn } from './greeting.ts';
import * as refusals from './refusals.ts';
import { createRequestReader } from './resp-request.ts';
import { findRoute, type Route, type RouteDeps } from './route.ts';
import { openInstance } from './upstream.ts';

export interface ConnectionLimits {
  /** How long a client may take to sign in. */
  readonly authenticationTimeoutMs: number;
  /** For the connection to an instance, and again for its answer to the sign-in. */
  readonly instanceTimeoutMs: number;
  /** Wrong keys on one connection; the last one closes it. */
  readonly wrongKeysMax: number;
}

interface ConnectionDeps extends RouteDeps {
  readonly logger: Logger;
  readonly keyUsage: KeyUsage;
  readonly limits: ConnectionLimits;
}

/** Replies that a client leaves unread before it has signed in. */
const unreadBytesMax = 64 * 1024;

type State = 'greeting' | 'opening' | 'forwarding' | 'closed';

export class Connection {
  readonly #client: Socket;
  readonly #deps: ConnectionDeps;
  readonly #from: Origin;
  readonly #address: string;
  readonly #reader = createRequestReader();
  readonly #gone = new AbortController();
  readonly #startedAtMs = performance.now();
  readonly #deadline: NodeJS.Timeout;
  #state: State = 'greeting';
  #isOverdue = false;
  #wrongKeys = 0;
  #route: Route | undefined;
  #upstream: Socket | undefined;
  #linger: NodeJS.Timeout | undefined;

  constructor(client: Socket, deps: ConnectionDeps, from: Origin) {
    this.#client = client;
    this.#deps = deps;
    this.#from = from;
    this.#address = `${from.address}:${from.port}`;
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

  get keyId(): string | undefined {
    return this.#route?.key.id;
  }

  get instanceId(): string | undefined {
    return this.#route?.instance.id;
  }

  /** Ends both sides at once. */
  destroy(): void {
    this.#client.destroy();
    this.#upstream?.destroy();
  }

  /** Takes no more commands; the replies under way are still delivered, then both sides close. */
  finish(): void {
    if (this.#state !== 'forwarding' || !this.#upstream) {
      this.destroy();
      return;
    }
    finishUpstream(this.#client, this.#upstream);
  }

  #enter(state: State): void {
    this.#state = state;
    if (state === 'forwarding' || state === 'closed') clearTimeout(this.#deadline);
  }

  #onData = (chunk: Buffer): void => {
    // One chunk at a time: the next is read when everything in this one has been answered.
    this.#client.pause();
    this.#reader.push(chunk);
    this.#answerRequests().catch((error: unknown) => {
      this.#deps.logger.error({ client: this.#address, err: error }, 'redis connection failed');
      this.destroy();
    });
  };

  #onEnd = (): void => {
    // Node tells of the end even while the client is paused; a sign-in under way goes on first.
    if (this.#state === 'greeting') this.#client.end();
  };

  #onDeadline = (): void => {
    this.#isOverdue = true;
    if (this.#state === 'greeting') this.#cut('no authentication in time');
  };

  #onClientClose = (): void => {
    this.#enter('closed');
    clearTimeout(this.#linger);
    this.#gone.abort();
    const durationMs = Math.round(performance.now() - this.#startedAtMs);
    const { bytesRead: bytesIn, bytesWritten: bytesOut } = this.#client;
    this.#log({ bytesIn, bytesOut, durationMs }, 'redis connection closed');
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
    const route = await this.#findRoute(request);
    if (this.#isClosed()) return;
    if ('code' in route) {
      this.#refuseSignIn(route, refusals.renderError(route));
      return;
    }
    // Set before the instance is opened, so that dropKey and dropInstance find this connection.
    this.#route = route;
    const { instance, key, host, port } = route;
    try {
      const opening = await openInstance({
        host,
        port,
        request: request.encodeFor(key.id),
        timeoutMs: this.#deps.limits.instanceTimeoutMs,
        signal: this.#gone.signal,
      });
      if (opening.socket) this.#forward(opening.socket, opening.answer);
      else this.#refuseSignIn(readRefusal(opening.answer), opening.answer);
    } catch (error) {
      if (this.#isClosed()) return;
      this.#log({ error: (error as Error).message }, 'redis instance could not be opened');
      const refusal = refusals.instanceUnreachable(instance.id);
      this.#refuseSignIn(refusal, refusals.renderError(refusal));
    }
  }

  async #findRoute(request: SignIn): Promise<Route | refusals.Refusal> {
    try {
      const { address, serverName } = this.#from;
      return await findRoute(this.#deps, { ...request, address, serverName });
    } catch (error) {
      this.#deps.logger.error({ client: this.#address, err: error }, 'keys cannot be checked');
      return refusals.cannotCheckKey;
    }
  }

  #refuseSignIn({ code, reason }: Pick<refusals.Refusal, 'code' | 'reason'>, reply: Buffer): void {
    this.#log({ reason }, 'redis authentication refused');
    this.#route = undefined;
    if (code === 'WRONGPASS') this.#wrongKeys += 1;
    if (this.#isOverdue || this.#wrongKeys >= this.#deps.limits.wrongKeysMax) {
      this.#endWith(reply, this.#isOverdue ? 'no authentication in time' : 'too many wrong keys');
      return;
    }
    this.#enter('greeting');
    this.#reply(reply);
  }

  #forward(upstream: Socket, answer: Buffer): void {
    const client = this.#client;
    this.#upstream = upstream;
    if (this.#isClosed()) {
      upstream.destroy();
      return;
    }
    this.#enter('forwarding');
    this.#deps.keyUsage.touchKey(this.keyId as string);
    this.#log({}, 'redis connection opened');
    client.off('data', this.#onData).off('end', this.#onEnd);
    forwardBytes(client, upstream, { answer, early: this.#reader.rest() });
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

  #cut(reason: string): void {
    this.#enter('closed');
    this.#log({ reason }, 'redis connection cut');
    this.#client.destroy();
  }

  #isClosed(): boolean {
    return this.#state === 'closed' || this.#client.destroyed;
  }

  #log(details: object, message: string): void {
    const { keyId, instanceId } = this;
    this.#deps.logger.debug({ client: this.#address, keyId, instanceId, ...details }, message);
  }
}

/** The code of an error line of Redis; its text is Redis's and may name the user, so it stays out. */
function readRefusal(line: Buffer): Pick<refusals.Refusal, 'code' | 'reason'> {
  const isWrongPass = line.toString('latin1').startsWith('-WRONGPASS ');
  return { code: isWrongPass ? 'WRONGPASS' : 'ERR', reason: 'Redis refused' };
}
