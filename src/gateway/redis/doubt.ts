/**
 * What a link does when a sentinel is answered with an error.
 *
 * Redis answers so while it runs a long script (BUSY) or loads its data (LOADING), when it takes no ECHO
 * either; but a script may have forged the error. So from there the count of replies is in doubt:
 *
 * certain → (an error in a sentinel's place) → in doubt: a command that Redis cannot know, named by a nonce,
 * is sent behind all that was; whose replies come before its own is kept waiting → Redis's error quotes the
 * nonce in its place: all were in theirs, and are given → certain. Anything else closes the link.
 *
 * Redis looks a command's name up before all else, so it gives this error in every state, to every user. It
 * is not the sentinel itself because Redis counts it among its errors, which an instance's owner watches.
 */
import { randomUUID } from 'node:crypto';
import type { AppError } from '../../lib/errors.ts';
import type { Command } from '../parse.ts';
import type { Batch } from './batches.ts';
import { errorTextOf, type Frame, isErrorFrame } from './frames.ts';

interface DoubtOptions {
  /** Replies that are kept waiting, in bytes; it is passed by those of one request at most. */
  readonly heldBytesMax: number;
  /** Sends a command behind all others, and gives its reply to `take` when its turn has come. */
  send(command: Command, take: (reply: Frame) => void): void;
  /** The count is wrong, or too much would have to wait. */
  refute(): void;
}

export interface Doubt {
  /** Takes a batch that has all its replies: gives them to it, or keeps them while they are in doubt. */
  settle(batch: Batch): void;
  /** Tells those that are kept waiting that the link has ended. */
  reject(reason: AppError): void;
}

/** Makes the judge of one link; nothing is in doubt yet. */
export function createDoubt({ heldBytesMax, send, refute }: DoubtOptions): Doubt {
  let isOpen = false;
  let held: Batch[] = [];
  let heldBytes = 0;

  function open(): void {
    isOpen = true;
    const nonce = randomUUID();
    send({ name: nonce, args: [] }, (reply) => {
      if (!isErrorFrame(reply) || !errorTextOf(reply).includes(`'${nonce}'`)) {
        refute();
        return;
      }
      isOpen = false;
      const given = held;
      held = [];
      heldBytes = 0;
      for (const { resolve, frames } of given) resolve(frames);
    });
  }

  return {
    settle(batch) {
      if (batch.isDoubtful && !isOpen) open();
      if (!isOpen || batch.isProof) {
        batch.resolve(batch.frames);
        return;
      }
      held.push(batch);
      heldBytes += batch.frameBytes;
      if (heldBytes > heldBytesMax) refute();
    },
    reject(reason) {
      for (const { reject } of held) reject(reason);
      held = [];
    },
  };
}
