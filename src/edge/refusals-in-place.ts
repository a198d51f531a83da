/**
 * Answers of the door's own at the right place among Redis's, without reading Redis's replies.
 *
 * For a request that is refused the door sends Redis another in its place: one word that is no command, and
 * that nobody can guess. Redis says in that very place that it knows no such command, and this line is
 * replaced on its way back by what the door has to say. So Redis does what it does for an unknown command: a
 * transaction that it stands in will not run, and a client that wants no replies gets none.
 *
 * Guarantees: the word is told to nobody (in Redis it is in no log, list or statistic: seen with 7.0.15); what
 * is to be said stands in the word, so nothing is kept for what is under way; replies are only searched after
 * something was refused, and only what may be the beginning of such a line is held back.
 */
import { randomHex } from '../lib/crypto.ts';

/** Redis's line for an unknown command without arguments, up to the command and from behind it. */
const linePrefix = "-ERR unknown command '";
const lineSuffix = "', with args beginning with: \r\n";
const wordBytesMax = 96;

export class RefusalsInPlace {
  readonly #word = randomHex(16);
  readonly #pattern = Buffer.from(`${linePrefix}${this.#word}`);
  readonly #render: (reason: string) => Buffer;
  /** Sent and not seen coming back. Where a client wants no replies it never comes down again. */
  #outstanding = 0;
  #held: Buffer | undefined;

  /** @param render gives the whole line for a reason. */
  constructor(render: (reason: string) => Buffer) {
    this.#render = render;
  }

  /** Gives what to send in the place of a request. @param reason of letters and digits, some 60 at most. */
  encodeRequest(reason: string): Buffer {
    this.#outstanding += 1;
    const word = `${this.#word}${reason}`;
    return Buffer.from(`*1\r\n$${word.length}\r\n${word}\r\n`, 'latin1');
  }

  /** Whether a reply may hold one of them. */
  get isSearching(): boolean {
    return this.#outstanding > 0 || this.#held !== undefined;
  }

  /** Gives the replies with the door's own lines in them; what cannot be told yet comes with the next. */
  rewrite(chunk: Buffer): Buffer {
    const bytes = this.#held ? Buffer.concat([this.#held, chunk]) : chunk;
    this.#held = undefined;
    const parts: Buffer[] = [];
    let from = 0;
    for (;;) {
      const at = bytes.indexOf(this.#pattern, from);
      if (at === -1) break;
      const reasonAt = at + this.#pattern.length;
      const end = bytes.indexOf(lineSuffix, reasonAt);
      if (end === -1 && bytes.length - at < wordBytesMax + lineSuffix.length) {
        parts.push(bytes.subarray(from, at));
        this.#held = Buffer.from(bytes.subarray(at));
        return Buffer.concat(parts);
      }
      if (end === -1) break;
      parts.push(bytes.subarray(from, at), this.#render(bytes.toString('latin1', reasonAt, end)));
      from = end + lineSuffix.length;
      this.#outstanding -= 1;
    }
    const kept = this.#measureBeginning(bytes, from);
    if (kept > 0) this.#held = Buffer.from(bytes.subarray(bytes.length - kept));
    parts.push(bytes.subarray(from, bytes.length - kept));
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  }

  /** What is held back, when no more replies come. */
  flush(): Buffer | undefined {
    const held = this.#held;
    this.#held = undefined;
    return held;
  }

  /** How many bytes at the end may be the beginning of a line that is looked for. */
  #measureBeginning(bytes: Buffer, from: number): number {
    const longest = Math.min(this.#pattern.length - 1, bytes.length - from);
    for (let length = longest; length > 0; length -= 1) {
      const start = bytes.length - length;
      if (bytes.compare(this.#pattern, 0, length, start) === 0) return length;
    }
    return 0;
  }
}
