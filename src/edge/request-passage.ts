/**
 * What a signed-in client sends, on its way to the instance.
 *
 * It goes through the framer: runs of ordinary requests go on as the slices of the chunk they came in. A request
 * is held only where it is to be looked at: until its first bytes are there, while its rate is asked about or
 * waited for, and where it signs in anew.
 *
 * Guarantees: order is kept; each request is counted before its first byte goes on; of a refused request nothing
 * goes on but what stands in its place; behind a line that Redis does not take nothing goes on at all. Held is
 * one chunk at most, and the beginning of a request before it.
 */
import { lineBytesMax, RequestFramer } from './request-framer.ts';
import { createRequestReader } from './resp-request.ts';

/** What becomes of a request: it goes on, as it is or in other bytes, or it is refused for a reason. */
export type Verdict =
  | { readonly kind: 'forward'; readonly bytes: Buffer | undefined }
  | { readonly kind: 'refuse'; readonly reason: string };

export const forwardAsIs: Verdict = { kind: 'forward', bytes: undefined };

export interface Judge {
  /** Counts an ordinary request. Undefined lets it pass. */
  admit(): Verdict | undefined | Promise<Verdict | undefined>;
  /** Decides about AUTH or HELLO; undefined for one that is too big to be read. */
  judgeSignIn(args: readonly Buffer[] | undefined): Verdict | Promise<Verdict>;
}

/** Called when what it is about has been taken by the socket that it went to. */
export type OnTaken = () => void;

/** Where it leads. */
export interface Outlet {
  /** Gives bytes to the instance. */
  send(bytes: Buffer, onTaken?: OnTaken): void;
  /** Gives it what stands for a refused request. */
  refuse(reason: string): void;
  /** A request is waited for: nothing is to be read of the client until `resume`. */
  pause(): void;
  resume(): void;
  /** Everything has gone on, and no more will come. */
  end(): void;
  /** The instance has got a line that it does not take: it will say so and close. */
  die(): void;
  /** A request could not be judged. */
  fail(): void;
}

const oneArgument = Buffer.from('*1\r\n');
const lineEnd = Buffer.from('\r\n');
const noBytes = Buffer.alloc(0);
const carriageReturn = 0x0d;
const lineFeed = 0x0a;
const asterisk = 0x2a;

export class RequestPassage {
  readonly #judge: Judge;
  readonly #outlet: Outlet;
  readonly #framer = new RequestFramer();
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
  #isOver = false;
  #hasEnded = false;
  /** Whether a request waits to be judged. */
  isWaiting = false;

  constructor(judge: Judge, outlet: Outlet) {
    this.#judge = judge;
    this.#outlet = outlet;
  }

  /** Takes what the client has sent; never while a request waits. */
  read(chunk: Buffer, onTaken?: OnTaken): void {
    if (this.#isOver) return;
    this.#onTaken = onTaken;
    this.#bytes = this.#held ? Buffer.concat([this.#held, chunk]) : chunk;
    this.#held = undefined;
    this.#position = 0;
    this.#runStart = 0;
    this.#readOn();
  }

  /** No more will come. */
  end(): void {
    this.#hasEnded = true;
    if (!this.isWaiting) this.#outlet.end();
  }

  /** Lets nothing go on any more. */
  stop(): void {
    this.#isOver = true;
  }

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
        const verdict = this.#judge.admit();
        if (verdict === undefined) this.#take(framer.end);
        else if (this.#settle(verdict, start)) return;
      } else if (this.#lookAtSignIn(start)) return;
    }
    this.#sendRun(this.#position, this.#onTaken);
    this.#bytes = noBytes;
    this.#onTaken = undefined;
    if (this.#hasEnded) this.#outlet.end();
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
      this.#outlet.refuse(verdict.reason);
      this.#isDiscarding = true;
    } else if (verdict?.bytes) {
      this.#sendRun(start);
      this.#outlet.send(verdict.bytes);
      this.#runStart = this.#framer.end;
    }
    this.#take(this.#framer.end);
    return false;
  }

  #waitFor(verdict: Promise<Verdict | undefined>, start: number): void {
    this.isWaiting = true;
    this.#outlet.pause();
    void verdict.then(
      (given) => {
        this.isWaiting = false;
        if (this.#isOver) return;
        this.#settle(given, start);
        this.#readOn();
        this.#outlet.resume();
      },
      () => this.#outlet.fail(),
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
    return this.#settle(this.#judge.judgeSignIn(args), start);
  }

  /** Sends on what has been read up to `end`, where there is any. */
  #sendRun(end: number, onTaken?: OnTaken): void {
    const { length } = this.#bytes;
    if (end > this.#runStart) {
      const isWhole = this.#runStart === 0 && end === length;
      this.#outlet.send(isWhole ? this.#bytes : this.#bytes.subarray(this.#runStart, end), onTaken);
    }
    this.#runStart = Math.max(this.#runStart, end);
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
    if (this.#isDiscarding) this.#outlet.send(oneArgument);
    this.#outlet.send(bytes.subarray(this.#isDiscarding ? deadAt : this.#runStart, end));
    if (isOfNumber && lineEndsAt > bytes.length) this.#outlet.send(lineEnd);
    this.#runStart = bytes.length;
    this.#position = bytes.length;
    this.#isOver = true;
    this.#outlet.die();
  }
}
