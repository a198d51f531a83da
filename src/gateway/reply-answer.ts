/** The HTTP answers of Redis's replies: put together from what each is encoded as, never parsed again. */
import type { Answer } from './answer.ts';
import { encodeFailure, encodeFrame, encodeJson, encodePipeline } from './encode.ts';
import { describeFailure, replyFailure } from './failures.ts';
import { errorTextOf, type Frame, isErrorFrame } from './redis/frames.ts';
import { type ReplyFormat, successHeaders } from './reply-format.ts';

const rawType = 'application/octet-stream';

/** The answer of one command: Redis's own "no" is a failure of the request, with the status it has. */
export function answerReply(reply: Frame, format: ReplyFormat): Answer {
  if (isErrorFrame(reply)) {
    const { status, message, headers } = describeFailure(replyFailure(errorTextOf(reply)));
    if (format.raw) return { status, headers, body: reply, contentType: rawType };
    return { status, headers, body: encodeFailure(message) };
  }
  const headers = successHeaders(format);
  if (format.raw) return { status: 200, headers, body: reply, contentType: rawType };
  return { status: 200, headers, body: encodeFrame(reply, format) };
}

/** The answer of several commands: each has its own result or error, so the request as such succeeded. */
export function answerReplies(replies: readonly Frame[], format: ReplyFormat): Answer {
  const headers = successHeaders(format);
  if (format.raw) {
    return { status: 200, headers, body: Buffer.concat(replies), contentType: rawType };
  }
  const items = replies.map((reply) => encodeJson(reply, format.base64));
  return { status: 200, headers, body: encodePipeline(items) };
}
