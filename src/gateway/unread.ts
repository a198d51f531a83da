/**
 * Large answers that their callers have not taken yet: whoever does not read must not fill the memory.
 *
 * Guarantees: what is held for one key and for all is bounded, twice: above the first bound nothing more is
 * begun (503), above the second an answer is not kept but its connection cut, since its command has run; an
 * answer that is not taken in its time is cut, too. Answers below 64 KiB are not looked at: Node takes no
 * more requests from a connection whose answers wait.
 */
import type { Socket } from 'node:net';
import type { Incoming, Outgoing } from './answer.ts';

/** Smaller answers are not counted. */
export const countedBytesMin = 64 * 1024;

export interface UnreadBounds {
  /** Above it nothing is begun, for anybody. */
  readonly bytesMax: number;
  /** Above it nothing is begun for that key. */
  readonly keyBytesMax: number;
  /** How often as much answers may hold that had begun before: several at once may be large. */
  readonly excessMax: number;
  readonly takenWithinMs: number;
  /** A slow reader of a large answer is given a second more for each so many bytes. */
  readonly bytesPerSecondMin: number;
}

export const defaultUnreadBounds: UnreadBounds = {
  bytesMax: 256 * 1024 * 1024,
  keyBytesMax: 64 * 1024 * 1024,
  excessMax: 3,
  takenWithinMs: 30_000,
  bytesPerSecondMin: 256 * 1024,
};

export interface Unread {
  /** Whether nothing more may be begun for this key at the moment. */
  isOver(keyId: string): boolean;
  /**
   * Counts an answer until it is taken or its connection has ended; cuts the connection where it is not taken.
   * @returns false where there is no room for it: the connection was cut.
   */
  hold(request: Incoming, response: Outgoing, answer: HeldAnswer): boolean;
}

export interface HeldAnswer {
  readonly bytes: number;
  /** Undefined where the request came without a valid key. */
  readonly keyId: string | undefined;
}

/** Makes the count of one process. */
export function createUnread(bounds: UnreadBounds = defaultUnreadBounds): Unread {
  const { bytesMax, keyBytesMax, excessMax, takenWithinMs, bytesPerSecondMin } = bounds;
  const byKey = new Map<string, number>();
  const bySocket = new WeakMap<Socket, Set<() => void>>();
  let all = 0;

  function add(keyId: string, bytes: number): void {
    all += bytes;
    const ofKey = (byKey.get(keyId) ?? 0) + bytes;
    if (ofKey === 0) byKey.delete(keyId);
    else byKey.set(keyId, ofKey);
  }

  /** An answer behind another on its connection is not told of that connection's end. */
  function releasesOf(socket: Socket): Set<() => void> {
    const known = bySocket.get(socket);
    if (known) return known;
    const releases = new Set<() => void>();
    bySocket.set(socket, releases);
    socket.once('close', () => {
      for (const release of releases) release();
    });
    return releases;
  }

  return {
    isOver: (keyId) => all > bytesMax || (byKey.get(keyId) ?? 0) > keyBytesMax,
    hold({ socket }, response, { bytes, keyId = '' }) {
      if (socket.destroyed) return false;
      const ofKey = (byKey.get(keyId) ?? 0) + bytes;
      if (all + bytes > bytesMax * excessMax || ofKey > keyBytesMax * excessMax) {
        socket.destroy();
        return false;
      }
      add(keyId, bytes);
      const releases = releasesOf(socket);
      const cutAfterMs = takenWithinMs + (bytes / bytesPerSecondMin) * 1_000;
      const timer = setTimeout(() => socket.destroy(), cutAfterMs).unref();
      const release = (): void => {
        if (!releases.delete(release)) return;
        clearTimeout(timer);
        add(keyId, -bytes);
      };
      releases.add(release);
      response.once('finish', release);
      return true;
    },
  };
}
