/**
 * The answer to a plain request: what of node:http's ServerResponse the gateway uses, as one write.
 *
 * Guarantees: head and body are one write; a header that would break the line it stands in, or is not ASCII,
 * is not sent but thrown; `close` is told once, when the answer was given or its reader has gone (at once to
 * whoever asks later), `finish` when the socket has taken all of it.
 */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Outgoing } from '../answer.ts';

const unsendable = /[^\t\x20-\x7e]/;

export interface PlainAnswerOptions {
  readonly socket: Socket;
  /** How long the connection is kept for another request; undefined where it ends with this answer. */
  readKeepAliveSeconds(): number | undefined;
  /** Called once the answer was given. */
  onGiven(isLast: boolean): void;
}

export class PlainAnswer implements Outgoing {
  statusCode = 200;
  headersSent = false;
  destroyed = false;
  readonly #options: PlainAnswerOptions;
  #head = '';
  #isLast = false;
  #hasLeft = false;
  #onClose: readonly (() => void)[] | undefined;
  #onFinish: readonly (() => void)[] | undefined;

  constructor(options: PlainAnswerOptions) {
    this.#options = options;
  }

  writeHead(status: number, headers: readonly string[]): void {
    let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`;
    for (let at = 0; at < headers.length; at += 2) {
      const name = headers[at] as string;
      const value = headers[at + 1] as string;
      if (unsendable.test(value)) throw new TypeError(`the header ${name} cannot be sent`);
      if (name === 'Connection') this.#isLast = true;
      else head += `${name}: ${value}\r\n`;
    }
    const keepAliveSeconds = this.#options.readKeepAliveSeconds();
    if (keepAliveSeconds === undefined) this.#isLast = true;
    const ofConnection = this.#isLast
      ? 'close'
      : `keep-alive\r\nKeep-Alive: timeout=${keepAliveSeconds}`;
    this.#head = `${head}Date: ${readDate()}\r\nConnection: ${ofConnection}\r\n\r\n`;
    this.statusCode = status;
  }

  end(body: string | Buffer): void {
    const { socket, onGiven } = this.#options;
    this.headersSent = true;
    const finished = this.#onFinish && tellAll.bind(undefined, this.#onFinish);
    if (typeof body === 'string') socket.write(this.#head + body, finished);
    else {
      socket.cork();
      socket.write(this.#head, 'latin1');
      socket.write(body, finished);
      socket.uncork();
    }
    this.noteLeaving();
    onGiven(this.#isLast);
  }

  destroy(): void {
    this.#options.socket.destroy();
  }

  once(event: 'close' | 'finish', listener: () => void): void {
    if (event === 'close') {
      if (this.#hasLeft) listener();
      else this.#onClose = [...(this.#onClose ?? []), listener];
    } else this.#onFinish = [...(this.#onFinish ?? []), listener];
  }

  /** Its reader sends no more: whoever waits for them to go is told. What is soon given is still sent. */
  noteLeaving(): void {
    this.#hasLeft = true;
    const listeners = this.#onClose;
    this.#onClose = undefined;
    if (listeners) tellAll(listeners);
  }

  /** The connection has ended before the answer was given. */
  abandon(): void {
    this.destroyed = true;
    this.noteLeaving();
  }
}

function tellAll(listeners: readonly (() => void)[]): void {
  for (const listener of listeners) listener();
}

let dateSecond = 0;
let date = '';

/** The text of a second is made once. */
function readDate(): string {
  const nowMs = Date.now();
  const second = Math.trunc(nowMs / 1_000);
  if (second !== dateSecond) {
    dateSecond = second;
    date = new Date(nowMs).toUTCString();
  }
  return date;
}
