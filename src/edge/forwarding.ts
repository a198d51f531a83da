/**
 * Passes bytes between a signed-in client and its instance, each side at the pace of the other.
 *
 * What the client sends is judged request by request on its way (request-passage.ts); what Redis says goes back
 * as it is, but for the refusals in it (refusals-in-place.ts).
 *
 * Guarantees: order is kept on both sides. Ends, half-closes and failures of one side reach the other; what was
 * received before them is delivered. Waiting bytes are bounded: one chunk a side, and what the sockets hold
 * before they ask to wait.
 */
import type { Socket } from 'node:net';
import { RefusalsInPlace } from './refusals-in-place.ts';
import { type Judge, type OnTaken, type Outlet, RequestPassage } from './request-passage.ts';

/** How long a side has to take the last bytes once the other side is gone. */
export const lingerMs = 5_000;

export interface ForwardingDeps extends Judge {
  /** The line that says why. */
  renderRefusal(reason: string): Buffer;
  /** Told of every chunk. What they give is called when the other side's socket has taken it. */
  noteRequests(bytes: number): OnTaken | undefined;
  noteReplies(bytes: number): OnTaken | undefined;
}

export class Forwarding implements Outlet {
  readonly #client: Socket;
  readonly #upstream: Socket;
  readonly #deps: ForwardingDeps;
  readonly #passage: RequestPassage;
  #refusals: RefusalsInPlace | undefined;
  #linger: NodeJS.Timeout | undefined;
  /** Since when (performance.now()) the client has not taken all that waits for it; 0 while nothing does. */
  clientFullSinceMs = 0;

  constructor(client: Socket, upstream: Socket, deps: ForwardingDeps) {
    this.#client = client;
    this.#upstream = upstream;
    this.#deps = deps;
    this.#passage = new RequestPassage(deps, this);
  }

  /** Begins: `answer` goes to the client first, `early` to the instance. */
  start({ answer, early }: { answer: Buffer; early: Buffer }): void {
    const client = this.#client;
    const upstream = this.#upstream;
    client
      .on('data', this.#onRequests)
      .on('end', this.#onClientEnd)
      .on('drain', this.#onClientDrain);
    client.once('close', this.#onClientClose);
    upstream.on('data', this.#onReplies).on('drain', this.#onUpstreamDrain);
    upstream.once('end', this.#onUpstreamEnd).once('close', this.#onUpstreamClose);
    this.#giveToClient(answer);
    if (early.length > 0) this.#onRequests(early);
    // Told before anybody listened, where the client ended while its instance was opened.
    if (client.readableEnded) this.#onClientEnd();
    this.resume();
    upstream.resume();
  }

  /** Sends the instance no more commands: it answers those it has, and closes. */
  finish(): void {
    this.#passage.stop();
    this.#upstream.end();
    // What still comes is read and thrown away, or the client's end would not be seen.
    this.#client.resume();
  }

  /** Ends the instance's side at once. */
  destroy(): void {
    this.#passage.stop();
    this.#upstream.destroy();
  }

  // Outlet of its own passage; methods and no closures, for there are as many of them as connections.

  send(bytes: Buffer, onTaken?: OnTaken): void {
    // What the kernel took at once is not waited for, however much it was.
    if (!this.#upstream.write(bytes, onTaken) && this.#upstream.writableLength > 0)
      this.#client.pause();
  }

  refuse(reason: string): void {
    this.#refusals ??= new RefusalsInPlace(this.#deps.renderRefusal);
    this.send(this.#refusals.encodeRequest(reason));
  }

  pause(): void {
    this.#client.pause();
  }

  resume(): void {
    const { writableLength, writableNeedDrain } = this.#upstream;
    // No 'drain' comes for less than the socket asks to wait for: with that the client need not wait either.
    const isFull = writableLength > 0 && writableNeedDrain;
    if (!this.#passage.isWaiting && !isFull) this.#client.resume();
  }

  end(): void {
    this.#upstream.end();
  }

  die(): void {
    this.#client.resume();
    this.#linger = setTimeout(() => this.#upstream.destroy(), lingerMs);
  }

  fail(): void {
    this.#client.destroy();
  }

  #onRequests = (chunk: Buffer): void => {
    this.#passage.read(chunk, this.#deps.noteRequests(chunk.length));
  };

  #onUpstreamDrain = (): void => this.resume();

  #onClientEnd = (): void => this.#passage.end();

  #onReplies = (chunk: Buffer): void => {
    const onTaken = this.#deps.noteReplies(chunk.length);
    const isRead = this.#refusals?.isSearching ?? false;
    const replies = isRead ? (this.#refusals as RefusalsInPlace).rewrite(chunk) : chunk;
    this.#giveToClient(replies, onTaken);
  };

  #giveToClient(bytes: Buffer, onTaken?: OnTaken): void {
    const client = this.#client;
    if (bytes.length === 0 || client.write(bytes, onTaken) || client.writableLength === 0) return;
    this.clientFullSinceMs = performance.now();
    this.#upstream.pause();
  }

  #onClientDrain = (): void => {
    this.clientFullSinceMs = 0;
    this.#upstream.resume();
  };

  #onClientClose = (): void => {
    clearTimeout(this.#linger);
    this.#passage.stop();
    this.#upstream.destroy();
  };

  #onUpstreamEnd = (): void => {
    this.#passage.stop();
    const held = this.#refusals?.flush();
    if (held) this.#client.write(held);
    this.#upstream.end();
  };

  #onUpstreamClose = (): void => {
    clearTimeout(this.#linger);
    this.#passage.stop();
    // A reply that broke off must not look like one that ended well.
    if (!this.#upstream.readableEnded) {
      this.#client.destroy();
      return;
    }
    if (!this.#client.writableEnded) this.#client.end();
    this.#client.resume();
    this.#linger = setTimeout(() => this.#client.destroy(), lingerMs);
  };
}
