/** Connections of the door to an instance's own Redis. */
import { connect, type Socket } from 'node:net';

/** How long a connection may be silent before the other side is asked whether it still lives. */
export const keepAliveDelayMs = 60_000;

/** An error line is short; whoever sends more than this without an end is no Redis. */
const errorBytesMax = 4_096;
const minus = 0x2d;
const lineFeed = 0x0a;

/** Here, because a function made while opening would keep all of that in memory with the connection. */
const ignore = (): void => {};

export interface Opening {
  /** What Redis answered so far, for the client as it is. */
  readonly answer: Buffer;
  /** The connection, signed in and paused; undefined where Redis refused (it is closed then). */
  readonly socket: Socket | undefined;
}

interface OpenOptions {
  readonly host: string;
  readonly port: number;
  /** The AUTH or HELLO command that signs in. */
  readonly request: Buffer;
  /** For the connection, and again for the answer. */
  readonly timeoutMs: number;
  /** Gives up, e.g. because the client left. */
  readonly signal: AbortSignal;
}

/**
 * Connects to an instance and signs in there.
 * @throws when it cannot be reached, does not answer in time, or `signal` was aborted.
 */
export async function openInstance(options: OpenOptions): Promise<Opening> {
  const { host, port, request, timeoutMs, signal } = options;
  signal.throwIfAborted();
  const socket = connect({
    host,
    port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveDelayMs,
    // The client's half-close is passed on, and what Redis still has to say comes back.
    allowHalfOpen: true,
  });
  const { promise, resolve, reject } = Promise.withResolvers<Opening>();
  let answer = Buffer.alloc(0);
  const fail = (error: Error): void => {
    socket.destroy();
    reject(error);
  };
  const timer = setTimeout(() => fail(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs);
  const onAbort = (): void => fail(new Error('the client is gone'));
  const onData = (chunk: Buffer): void => {
    answer = Buffer.concat([answer, chunk]);
    if (answer[0] !== minus) {
      socket.pause();
      resolve({ answer, socket });
    } else if (answer.includes(lineFeed)) {
      socket.destroy();
      resolve({ answer, socket: undefined });
    } else if (answer.length > errorBytesMax) {
      fail(new Error('the answer is not of a Redis'));
    }
  };
  const onClose = (): void => fail(new Error('the instance closed the connection'));
  socket.on('error', fail).on('data', onData).on('end', onClose).on('close', onClose);
  socket.once('connect', () => {
    timer.refresh();
    socket.write(request);
  });
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    socket.off('data', onData).off('end', onClose).off('close', onClose).off('error', fail);
    // Whoever takes the socket listens for itself; until then an error must not end the process.
    socket.on('error', ignore);
  }
}
