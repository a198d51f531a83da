/**
 * How long a request's body may take to arrive. Node's own limit (`requestTimeout`) holds for all requests
 * alike; here an upload may take as long as its bytes go on coming, and everything else may not.
 */
import type { IncomingMessage, Server } from 'node:http';

const timers = new WeakMap<IncomingMessage, NodeJS.Timeout>();

/**
 * Cuts the connection of each request that has not arrived whole after `timeoutMs`.
 * @param isBound says of which requests; of all where it is left out.
 */
export function boundBodies(
  server: Server,
  timeoutMs: number,
  isBound: (request: IncomingMessage) => boolean = () => true,
): void {
  server.requestTimeout = 0;
  // Before the listener that may find the request to be an upload.
  server.prependListener('request', (request: IncomingMessage) => {
    const { headers } = request;
    if (!headers['content-length'] && !headers['transfer-encoding']) return;
    if (!isBound(request)) return;
    const timer = setTimeout(() => {
      if (!request.complete) request.destroy();
    }, timeoutMs);
    timers.set(request, timer.unref());
    request.once('close', () => clearTimeout(timer));
  });
}

/**
 * The body of an upload, whose whole time is not bounded from here on.
 * @throws as it is read, where no byte arrives for `silenceMs`. A reader that gives it up does not take the
 * connection from under the answer.
 */
export async function* readUpload(
  request: IncomingMessage,
  silenceMs: number,
): AsyncGenerator<Buffer> {
  clearTimeout(timers.get(request));
  const chunks = request.iterator({ destroyOnReturn: false });
  try {
    for (;;) {
      // Only while something is waited for: who does not read must not blame the sender.
      const { done, value } = await withinSilence(chunks.next(), silenceMs);
      if (done) return;
      yield value as Buffer;
    }
  } finally {
    // Not waited for: it comes after the byte that does not.
    chunks.return?.();
  }
}

async function withinSilence<T>(next: Promise<T>, silenceMs: number): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(new Error(`no byte of the body arrived for ${silenceMs} ms`));
  }, silenceMs);
  try {
    return await Promise.race([next, promise]);
  } finally {
    clearTimeout(timer);
  }
}
