/**
 * Passes bytes between a signed-in client and its instance, each side at the pace of the other.
 *
 * What the client sends goes through the framer: runs of ordinary requests go on as the slices of the chunk
 * they came in. A request is held only where it is to be looked at: until its first bytes are there, while
 * its rate is asked about elsewhere, and where it signs in anew. What Redis says goes back as it is.
 *
 * Guarantees: order is kept on both sides; each request is counted before its first byte goes on; of a
 * refused request nothing goes on, and its refusal comes back in its place (refusals-in-place.ts); behind a
 * line that Redis does not take nothing goes on at all. Ends, half-closes and failures of one side reach the
 * other; what was received before them is delivered. Waiting bytes are bounded: one chunk a side, and what the
 * sockets hold before they ask to wait.
 */
import type { Socket } from 'node:net';
import { RefusalsInPlace } from './refusals-in-place.ts';
import { lineBytesMax, RequestFramer } from './request-framer.ts';
import { createRequestReader } from './resp-request.ts';

/** How long a side has to take the last bytes once the other side is gone. */
export const lingerMs = 5_000;

/** What becomes of a request: it goes on, as it is or in other bytes, or it is refused for a reason. */
export type Verdict =
  | { readonly kind: 'forward'; readonly bytes: Buffer | undefined }
  | { readonly kind: 'refuse'; readonly reason: string };

export const forwardAsIs: Verdict = { kind: 'forward', bytes: undefined };

type OnTaken = () => void;

export interface ForwardingDeps {
  /** Counts an ordinary request. Undefined lets it pass. */
  admit(): Verdict | undefined | Promise<Verdict | undefined>;
  /** Decides about AUTH or HELLO; undefined for one that is too big to be read. */
  judgeSignIn(args: readonly Buffer[] | undefined): Verdict | Promise<Verdict>;
  /** The line that says why. */
  renderRefusal(reason: string): Buffer;
  /** Told of every chunk. What they give is called when the other side's socket has taken it. */
  noteRequests(bytes: number): OnTaken | undefined;
  noteReplies(bytes: number): OnTaken | undefined;
}

const oneArgument = Buffer.from('*1\r\n');
const lineEnd = Buffer.from('\r\n');
const carriageReturn = 0x0d;
const lineFeed = 0x0a;
const asterisk = 0x2a;

export class Forwarding {
  readonly #client: Socket;
  readonly #upstream: Socket;
  readonly #deps: ForwardingDeps;
  readonly #framer = new RequestFramer();
  #refusals: RefusalsInPlace | undefined;
  /** The beginning of a request that cannot be told yet. */
  #held: Buffer | undefined;
  /** What is being read, how far, and from where it has not gone on. */
  #bytes: Buffer = noBytes;
  #position = 0;
  #runStart = 0;
  /** To be called when all that is being read has gone on. */
  #onTaken: OnTaken | undefined;
  /** Whether the request begun is refused, so that the rest of it is thrown away. */
  #isDiscarding = false;
  #isWaiting = false;
  /** Nothing of the client's goes on any more. */
  #isOver = false;
  #hasClientEnded = false;
  #linger: NodeJS.Timeout | undefined;
  /** Since when (performance.now()) the client has not taken all that waits for it; 0 while nothing does. */
  clientFullSinceMs = 0;

  constructor(client: Socket, upstream: Socket, deps: ForwardingDeps) {
    this.#client = client;
    this.#upstream = upstream;
    this.#deps = deps;
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
    this.#resumeClient();
    upstream.resume();
  }

  /** Sends the instance no more commands: it answers those it has, and closes. */
  finish(): void {
    this.#isOver = true;
    this.#upstream.end();
    // What still comes is read and thrown away, or the client's end would not be seen.
    this.#client.resume();
  }

  /** Ends the instance's side at once. */
  destroy(): void {
    this.#upstream.destroy();
  }

  #onRequests = (chunk: Buffer): void => {
    this.#onTaken = this.#deps.noteRequests(chunk.length);
    if (this.#isOver) return;
    this.#bytes = this.#held ? Buffer.concat([this.#held, chunk]) : chunk;
    this.#held = undefined;
    this.#position = 0;
    this.#runStart = 0;
    this.#readOn();
  };

  #readOn(): void {
    const framer = this.#framer;
    const bytes = this.#bytes;
    while (this.#position < bytes.length && !this.#isOver) {
      const start = this.#position;
      const kind = framer.read(bytes, start);
      if (kind === 'incomplete') {
        this.#sendRun(start);
        this.#held = Buffer.from(bytes.subarray(start));
        break;
      }
      if (kind === 'dead') this.#die();
      else if (kind === 'part' || kind === 'nothing') this.#take(framer.end);
      else if (kind === 'request') {
        const verdict = this.#deps.admit();
        if (verdict === undefined) this.#take(framer.end);
        else if (this.#settle(verdict, start)) return;
      } else if (this.#lookAtSignIn(start)) return;
    }
    this.#sendRun(this.#position, this.#onTaken);
    this.#bytes = noBytes;
    this.#onTaken = undefined;
    if (this.#hasClientEnded) this.#upstream.end();
  }

  /** Goes on to `end`: what lies between goes on later, or is thrown away. */
  #take(end: number): void {
    if (this.#framer.deadAt !== -1) {
      this.#die();
      return;
    }
    this.#position = end;
    if (this.#isDiscarding) {
      this.#runStart = end;
      this.#isDiscarding = this.#framer.isWithin;
    }
  }

  /** Does as a verdict says with the request at `start`; gives true where it is not there yet. */
  #settle(verdict: Verdict | undefined | Promise<Verdict | undefined>, start: number): boolean {
    if (verdict instanceof Promise) {
      this.#sendRun(start);
      this.#waitFor(verdict, start);
      return true;
    }
    if (verdict?.kind === 'refuse') {
      this.#sendRun(start);
      this.#refusals ??= new RefusalsInPlace(this.#deps.renderRefusal);
      this.#send(this.#refusals.encodeRequest(verdict.reason));
      this.#isDiscarding = true;
    } else if (verdict?.bytes) {
      this.#sendRun(start);
      this.#send(verdict.bytes);
      this.#runStart = this.#framer.end;
    }
    this.#take(this.#framer.end);
    return false;
  }

  #waitFor(verdict: Promise<Verdict | undefined>, start: number): void {
    this.#isWaiting = true;
    this.#client.pause();
    void verdict.then(
      (given) => {
        this.#isWaiting = false;
        if (this.#isOver || this.#client.destroyed) return;
        this.#settle(given, start);
        this.#readOn();
        this.#resumeClient();
      },
      () => this.#client.destroy(),
    );
  }

  /** Reads AUTH or HELLO whole; gives true where it has to be waited for. */
  #lookAtSignIn(start: number): boolean {
    const framer = this.#framer;
    const reader = createRequestReader(lineBytesMax + 1024);
    reader.push(this.#bytes.subarray(start, framer.end));
    const read = reader.next();
    if (read.kind === 'incomplete' && framer.isWithin && framer.deadAt === -1) {
      this.#sendRun(start);
      this.#held = Buffer.from(this.#bytes.subarray(start));
      framer.forget();
      this.#runStart = this.#bytes.length;
      this.#position = this.#bytes.length;
      return false;
    }
    const args = read.kind === 'request' ? read.args : undefined;
    return this.#settle(this.#deps.judgeSignIn(args), start);
  }

  /** Sends on what has been read up to `end`, where there is any. */
  #sendRun(end: number, onTaken?: OnTaken): void {
    const { length } = this.#bytes;
    if (end > this.#runStart) {
      const isWhole = this.#runStart === 0 && end === length;
      this.#send(isWhole ? this.#bytes : this.#bytes.subarray(this.#runStart, end), onTaken);
    }
    this.#runStart = Math.max(this.#runStart, end);
  }

  #send(bytes: Buffer, onTaken?: OnTaken): void {
    // What the kernel took at once is not waited for, however much it was.
    if (!this.#upstream.write(bytes, onTaken) && this.#upstream.writableLength > 0)
      this.#client.pause();
  }

  /** Sends on what there is up to the end of the line that Redis does not take, so that it says so, and no more. */
  #die(): void {
    const bytes = this.#bytes;
    const { deadAt } = this.#framer;
    // A line of a number is judged at the next return, wherever that is, and the byte behind it; the end of an
    // inline request must not be made up.
    const isOfNumber = this.#framer.isWithin || bytes[this.#position] === asterisk;
    const mark = bytes.indexOf(isOfNumber ? carriageReturn : lineFeed, deadAt);
    const lineEndsAt = mark === -1 ? Number.POSITIVE_INFINITY : mark + (isOfNumber ? 2 : 1);
    const end = Math.min(lineEndsAt, bytes.length);
    // Of a request that was refused only the line goes on, as that of another.
    if (this.#isDiscarding) this.#send(oneArgument);
    this.#send(bytes.subarray(this.#isDiscarding ? deadAt : this.#runStart, end));
    if (isOfNumber && lineEndsAt > bytes.length) this.#send(lineEnd);
    this.#runStart = bytes.length;
    this.#position = bytes.length;
    this.#isOver = true;
    this.#client.resume();
    this.#linger = setTimeout(() => this.#upstream.destroy(), lingerMs);
  }

  #resumeClient(): void {
    const { writableLength, writableNeedDrain } = this.#upstream;
    // No 'drain' comes for less than the socket asks to wait for: with that the client need not wait either.
    const isFull = writableLength > 0 && writableNeedDrain;
    if (!this.#isWaiting && !isFull) this.#client.resume();
  }

  #onUpstreamDrain = (): void => this.#resumeClient();

  #onClientEnd = (): void => {
    this.#hasClientEnded = true;
    if (!this.#isWaiting) this.#upstream.end();
  };

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
    this.#isOver = true;
    this.#upstream.destroy();
  };

  #onUpstreamEnd = (): void => {
    this.#isOver = true;
    const held = this.#refusals?.flush();
    if (held) this.#client.write(held);
    this.#upstream.end();
  };

  #onUpstreamClose = (): void => {
    clearTimeout(this.#linger);
    this.#isOver = true;
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

const noBytes = Buffer.alloc(0);
