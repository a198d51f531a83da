/** Passes bytes between a client and its instance, untouched, each side at the pace of the other. */
import type { Socket } from 'node:net';

/** How long a side has to take the last bytes once the other side is gone. */
export const lingerMs = 5_000;

/**
 * Joins the two connections: `answer` goes to the client first, `early` to the instance first. Ends,
 * half-closes and failures of one side reach the other; what was received before them is delivered.
 */
export function forwardBytes(
  client: Socket,
  upstream: Socket,
  { answer, early }: { answer: Buffer; early: Buffer },
): void {
  let timer: NodeJS.Timeout | undefined;
  client.once('close', () => {
    clearTimeout(timer);
    upstream.destroy();
  });
  upstream.once('end', () => finishUpstream(client, upstream));
  upstream.once('close', () => {
    // A reply that broke off must not look like one that ended well.
    if (!upstream.readableEnded) {
      client.destroy();
      return;
    }
    if (!client.writableEnded) client.end();
    client.resume();
    timer = setTimeout(() => client.destroy(), lingerMs);
  });
  client.write(answer);
  if (early.length > 0) upstream.write(early);
  client.pipe(upstream);
  upstream.pipe(client);
}

/** Sends the instance no more commands: it answers those it has, and closes. */
export function finishUpstream(client: Socket, upstream: Socket): void {
  client.unpipe(upstream);
  upstream.end();
}
