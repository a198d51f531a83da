/** The bytes that the replies of one request may have together, however many times Redis is asked for it. */
import { replyTooLarge } from './failures.ts';
import type { Frame } from './redis/frames.ts';

export interface ReplyRoom {
  /** @throws {AppError} `invalid_request` where the replies so far are larger than the bound. */
  take(reply: Frame): void;
}

/** @param bytesMax the bound, also of what has come and was put to use already. */
export function createReplyRoom(bytesMax: number): ReplyRoom {
  let bytes = 0;
  return {
    take(reply) {
      bytes += reply.length;
      if (bytes > bytesMax) throw replyTooLarge(bytesMax);
    },
  };
}
