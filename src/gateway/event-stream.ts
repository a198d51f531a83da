/**
 * Server-sent events on an HTTP answer, in the form that Upstash's clients read.
 *
 * Guarantees:
 * - An event is one line that begins with `data: `, and lines end with LF alone: a field that holds a line
 *   break is sent as JSON text, so nothing in it can end the event or begin another.
 * - What was not sent yet is bounded. A reader for whom more than the bound waits is cut off, which costs
 *   only that reader: nobody waits for it. An event that was begun below the bound is sent, however large.
 * - A reader who hears nothing for a while gets a comment, so that proxies keep the connection.
 * - After the end nothing is sent, and no timer is left behind.
 */
import type { ServerResponse } from 'node:http';

export interface EventStreamLimits {
  readonly heartbeatMs: number;
  /** Beyond what the operating system buffers. */
  readonly unsentBytesMax: number;
  /** A reader who has not read the end after this time is cut off. */
  readonly cutAfterMs: number;
}

export const defaultEventStreamLimits: EventStreamLimits = {
  heartbeatMs: 15_000,
  unsentBytesMax: 1024 * 1024,
  cutAfterMs: 5_000,
};

const readerLeft = 'the reader left';
const readerTooSlow = 'the reader was too slow';

export interface EventStream {
  /** Sends one event: the fields, parted by commas. */
  send(fields: readonly string[]): void;
  /** Ends the answer; a comment before the end says why. */
  end(reason: string): void;
  /** Resolves with the reason of the end, once, whoever caused it. */
  readonly ended: Promise<string>;
}

/**
 * Begins an answer that streams events: status and headers are sent at once.
 * @param headers those that every answer has, as a flat list; `Cache-Control: no-store` is one of them.
 */
export function openEventStream(
  response: ServerResponse,
  headers: readonly string[],
  limits: EventStreamLimits = defaultEventStreamLimits,
): EventStream {
  const { promise: ended, resolve } = Promise.withResolvers<string>();
  let isOpen = true;
  /** What comes in one turn goes out in one write: Node's own cork would lose it at the end of a chunked answer. */
  let turn = '';
  const heartbeat = setInterval(() => write(': keepalive\n\n'), limits.heartbeatMs).unref();

  function finish(reason: string): void {
    isOpen = false;
    clearInterval(heartbeat);
    resolve(reason);
  }

  function write(text: string): void {
    if (!isOpen) return;
    if (response.writableLength > limits.unsentBytesMax) {
      finish(readerTooSlow);
      response.destroy();
      return;
    }
    if (turn === '') process.nextTick(flush);
    turn += text;
  }

  function flush(): void {
    if (turn === '') return;
    response.write(turn);
    turn = '';
  }

  response.once('close', () => finish(readerLeft));
  // A connection that breaks tells of an error first; its close is what counts.
  response.on('error', () => {});
  // Proxies such as nginx would wait for more before they pass anything on.
  const own = ['Content-Type', 'text/event-stream', 'X-Accel-Buffering', 'no'];
  response.writeHead(200, [...headers, ...own]);
  response.flushHeaders();
  // The reader may have left while the stream was being prepared.
  if (response.destroyed) finish(readerLeft);

  return {
    send: (fields) => write(`data: ${fields.map(toField).join(',')}\n\n`),
    end(reason) {
      if (!isOpen) return;
      write(`: ${reason}\n\n`);
      finish(reason);
      flush();
      response.end();
      const cut = setTimeout(() => response.destroy(), limits.cutAfterMs).unref();
      response.once('close', () => clearTimeout(cut));
    },
    ended,
  };
}

function toField(text: string): string {
  return /[\r\n]/.test(text) ? JSON.stringify(text) : text;
}
