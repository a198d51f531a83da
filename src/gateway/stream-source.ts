/** What a stream follows in Redis: how it is asked for, and what Redis then sends as fields of events. */
import type { EventStream } from './event-stream.ts';
import { replyFailure } from './failures.ts';
import { type Command, parseChannels, type RouteKind, type Target } from './parse.ts';
import { elementsOf, errorTextOf, type Frame, isErrorFrame, textOf } from './redis/frames.ts';
import type { OwnLink } from './redis/own-link.ts';

type StreamKind = Extract<RouteKind, 'subscribe' | 'psubscribe' | 'monitor'>;

/** Whether a route is answered by a stream. */
export function isStream(kind: RouteKind): kind is StreamKind {
  return kind === 'subscribe' || kind === 'psubscribe' || kind === 'monitor';
}

/**
 * The command that begins a stream.
 * @throws {AppError} `invalid_request` where no channel is named.
 */
export function toStreamCommand(target: Target): Command {
  const args = target.kind === 'monitor' ? [] : parseChannels(target);
  return { name: target.kind.toUpperCase(), args };
}

/**
 * Asks Redis for a stream, opens the answer at its yes, and sends what it then tells.
 * @param timeoutMs how long Redis may take to say yes or no.
 * @throws {AppError} with Redis's own words where it refuses, or where the connection ended before.
 */
export async function follow(
  link: OwnLink,
  command: Command,
  { open, timeoutMs }: { open: () => EventStream; timeoutMs: number },
): Promise<EventStream> {
  let events: EventStream | undefined;
  // What stood right behind the reply has come before the reply's promise is heard of.
  const early: Frame[] = [];
  link.onPush((frame) => {
    if (events) events.send(readFields(frame));
    else early.push(frame);
  });
  const reply = await link.send(command, timeoutMs);
  if (isErrorFrame(reply)) throw replyFailure(errorTextOf(reply));
  events = open();
  // By these letters Upstash's clients know the beginning of MONITOR.
  events.send(command.name === 'MONITOR' ? ['"OK"'] : readFields(reply));
  for (const frame of early) events.send(readFields(frame));
  return events;
}

function readFields(frame: Frame): string[] {
  const fields = (elementsOf(frame) ?? [frame]).map((element) => textOf(element) ?? '');
  const [kind] = fields;
  const payload = fields.at(-1);
  // Upstash's client takes a pattern's messages for JSON and nothing else, others for JSON where they are.
  const isJson = kind === 'pmessage' || (kind === 'message' && /[\r\n]/.test(payload ?? ''));
  if (isJson && payload !== undefined) fields[fields.length - 1] = toJson(payload);
  return fields;
}

/** In one line, so that it need not be made a text for the event's sake: `{"a":1}` with a line break stays an object. */
function toJson(text: string): string {
  try {
    JSON.parse(text);
  } catch {
    return JSON.stringify(text);
  }
  // In JSON they stand between values alone.
  return text.replace(/[\r\n]+/g, ' ');
}
