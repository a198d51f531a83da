/** Sends one stream and gives what came back; compares what came back through the door and directly. */
import { connect } from 'node:net';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import type { Stream } from './random-streams.ts';

export interface Outcome {
  readonly bytes: Buffer;
  /** `open` where the other side did not close the connection in time. */
  readonly end: 'closed' | 'open';
}

const closeTimeoutMs = 15_000;

/** Signs in with these bytes, sends the stream as it is cut, and waits for the end of the connection. */
export async function exchange(port: number, signIn: Buffer, stream: Stream): Promise<Outcome> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  const received: Buffer[] = [];
  const closed = new Promise<'closed'>((resolve) => {
    socket.once('end', () => resolve('closed')).once('close', () => resolve('closed'));
  });
  // A side that closes with unread bytes resets the connection: an end like another.
  socket.on('error', () => {}).on('data', (chunk) => received.push(chunk));
  const patience = new AbortController();
  try {
    socket.write(signIn);
    let sent = 0;
    for (const cut of [...stream.cuts, stream.body.length]) {
      socket.write(stream.body.subarray(sent, cut));
      sent = cut;
      await turn();
    }
    if (stream.halfCloses) socket.end();
    const overdue = sleep(closeTimeoutMs, 'open' as const, patience).catch(() => 'open' as const);
    const end = await Promise.race([closed, overdue]);
    return { bytes: Buffer.concat(received), end };
  } finally {
    patience.abort();
    socket.destroy();
  }
}

export interface Listed {
  readonly why: string;
  /** What Redis itself said, and what the door may say in its place. */
  readonly direct: RegExp;
  readonly door: RegExp;
  /** Whether nothing can be compared after it. */
  readonly isLast?: boolean;
}

/** Says what differs, reply by reply; undefined where nothing does but what is listed. */
export function findDifference(
  { door, direct, mayLoseReplies }: { door: Outcome; direct: Outcome; mayLoseReplies: boolean },
  listed: readonly Listed[],
): string | undefined {
  if (door.end !== direct.end)
    return `the door's connection is ${door.end}, ${direct.end} directly`;
  const [own, theirs] = [mask(door.bytes), mask(direct.bytes)];
  if (own === theirs) return undefined;
  return differenceOf(own, theirs, { mayLoseReplies, listed });
}

/** The same for replies, and for what an array holds: a subscription in a transaction answers more than it says. */
function differenceOf(
  own: string,
  theirs: string,
  context: { readonly mayLoseReplies: boolean; readonly listed: readonly Listed[] },
): string | undefined {
  const { mayLoseReplies, listed } = context;
  const [ownReplies, theirReplies] = [splitReplies(own), splitReplies(theirs)];
  for (let index = 0; index < Math.max(ownReplies.length, theirReplies.length); index += 1) {
    const [ownReply = '', theirReply = ''] = [ownReplies[index], theirReplies[index]];
    if (ownReply === theirReply) continue;
    // The shorter of the two ends here.
    if (mayLoseReplies && (theirReply.startsWith(ownReply) || ownReply.startsWith(theirReply))) {
      return undefined;
    }
    const row = listed.find(({ direct, door }) => direct.test(theirReply) && door.test(ownReply));
    if (row?.isLast) return undefined;
    if (row) continue;
    const [ownItems, theirItems] = [itemsOf(ownReply), itemsOf(theirReply)];
    const areAlike = ownItems.head !== '' && ownItems.head === theirItems.head;
    if (areAlike && !differenceOf(ownItems.rest, theirItems.rest, context)) continue;
    return `reply ${index}: ${show(ownReply)}, but directly ${show(theirReply)}`;
  }
  return undefined;
}

/** The line that begins an array, map, set or push, and what is behind it; no such line where it is none. */
function itemsOf(reply: string): { head: string; rest: string } {
  const headBytes = (reply[0] ?? '') in itemsEach ? reply.indexOf('\n') + 1 : 0;
  return { head: reply.slice(0, headBytes), rest: reply.slice(headBytes) };
}

/** The number that Redis gave the connection, in the reply to HELLO, is another each time. */
function mask(bytes: Buffer): string {
  return bytes.toString('latin1').replace(/(\$2\r\nid\r\n:)\d+/g, '$1');
}

/** Cuts RESP2 or RESP3 into whole replies; what is cut short is one of its own. */
function splitReplies(text: string): string[] {
  const replies: string[] = [];
  for (let start = 0; start < text.length; ) {
    const end = endOf(text, start) ?? text.length;
    replies.push(text.slice(start, end));
    start = end;
  }
  return replies;
}

const itemsEach: Readonly<Record<string, number>> = { '*': 1, '~': 1, '>': 1, '%': 2, '|': 2 };

function endOf(text: string, start: number): number | undefined {
  const lineEnd = text.indexOf('\r\n', start);
  if (lineEnd === -1) return undefined;
  const type = text[start] ?? '';
  const length = Number(text.slice(start + 1, lineEnd));
  let end: number | undefined = lineEnd + 2;
  if ('$=!'.includes(type)) {
    if (length >= 0) end += length + 2;
    return end <= text.length ? end : undefined;
  }
  for (let items = (itemsEach[type] ?? 0) * length; items > 0 && end !== undefined; items -= 1) {
    end = endOf(text, end);
  }
  return end;
}

export function show(text: string): string {
  const shown = JSON.stringify(text.slice(0, 200));
  return text.length > 200 ? `${shown} and ${text.length - 200} bytes more` : shown;
}
