/** Ends a connection that was not let in. */
import type { Socket } from 'node:net';

const lingerMs = 1_000;

/**
 * Says why and closes. What the client still sends is read and thrown away for a moment: closing on unread
 * bytes would reset the connection, and the word might never arrive.
 */
export function endWithWord(client: Socket, word: Buffer): void {
  client.on('error', () => {});
  client.end(word);
  client.resume();
  const timer = setTimeout(() => client.destroy(), lingerMs);
  client.once('close', () => clearTimeout(timer));
}
