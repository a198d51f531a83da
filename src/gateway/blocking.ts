/**
 * Commands that wait (BLPOP, XREAD BLOCK …), each on a connection of its own.
 *
 * Guarantees:
 * - It is Redis that ends the wait, also at the gateway's bound: a longer time-out is replaced by the bound
 *   before the command is sent, so the answer is Redis's own for "nothing came", and no element is taken in
 *   the moment in which the gateway gives up.
 * - A caller who goes away closes the connection at once, and Redis then forgets the wait: nothing that comes
 *   later is taken for nobody. What Redis had taken before it saw the end is lost, as with any client that
 *   goes away; BLMOVE and consumer groups are for those who must not lose it.
 * - A dropped key or instance ends the wait like any other use of it (links.ts).
 */
import { AppError } from '../lib/errors.ts';
import type { Grant } from './authorize.ts';
import { badRequest } from './failures.ts';
import type { Command } from './parse.ts';
import type { Frame } from './redis/frames.ts';
import type { Links, Protocol } from './redis/links.ts';

/** Below the minute after which proxies and clients often give up on an answer. */
const waitMsMax = 55_000;
/** What Redis may take to answer once the time is over; then the connection is closed. */
const graceMs = 10_000;

/** How a command says how long it may wait. */
interface Wait {
  readonly place: 'first' | 'last' | 'option';
  readonly unitMs: 1 | 1_000;
}

const waits: ReadonlyMap<string, Wait> = new Map([
  ['BLPOP', { place: 'last', unitMs: 1_000 }],
  ['BRPOP', { place: 'last', unitMs: 1_000 }],
  ['BRPOPLPUSH', { place: 'last', unitMs: 1_000 }],
  ['BLMOVE', { place: 'last', unitMs: 1_000 }],
  ['BZPOPMIN', { place: 'last', unitMs: 1_000 }],
  ['BZPOPMAX', { place: 'last', unitMs: 1_000 }],
  ['BLMPOP', { place: 'first', unitMs: 1_000 }],
  ['BZMPOP', { place: 'first', unitMs: 1_000 }],
  ['XREAD', { place: 'option', unitMs: 1 }],
  ['XREADGROUP', { place: 'option', unitMs: 1 }],
]);

/** XREAD's options that have arguments, with how many words each takes. */
const optionLengths = new Map([
  ['BLOCK', 2],
  ['COUNT', 2],
  ['GROUP', 3],
  ['CLAIM', 2],
]);

/**
 * Runs a command that may wait and gives Redis's reply, an error reply too.
 * @param signal aborted when the caller has gone, or, with the error to answer, when the service stops.
 * @param boundMs how long it may wait; a time-out of 0 (for ever) means this.
 * @throws {AppError} where there is no connection to be had, or it ended before the reply.
 */
export async function runBlocking(
  links: Pick<Links, 'own'>,
  grant: Grant,
  protocol: Protocol,
  command: Command,
  signal: AbortSignal,
  boundMs: number = waitMsMax,
): Promise<Frame> {
  const link = await links.own(grant, protocol);
  const close = (): void => link.close();
  signal.addEventListener('abort', close);
  try {
    if (signal.aborted) throw reasonOf(signal);
    // The time beyond is for a Redis that hangs, and for spellings of a time-out that boundWait leaves.
    return await link.send(boundWait(command, boundMs), boundMs + graceMs);
  } catch (error) {
    throw signal.aborted ? reasonOf(signal) : error;
  } finally {
    signal.removeEventListener('abort', close);
    link.close();
  }
}

/** Gives the command with a time-out of at most `boundMs`. What is no time-out stays, for Redis to refuse. */
export function boundWait(command: Command, boundMs: number): Command {
  const { name, args } = command;
  const wait = waits.get(name);
  if (!wait) return command;
  const places = wait.place === 'option' ? findBlockOptions(args) : [placeOf(wait, args)];
  const bounded = [...args];
  for (const place of places) {
    const arg = bounded[place];
    if (arg !== undefined) bounded[place] = boundTimeout(arg, boundMs / wait.unitMs);
  }
  return { name, args: bounded };
}

function placeOf({ place }: Wait, args: Command['args']): number {
  return place === 'first' ? 0 : args.length - 1;
}

/** The places of the times of BLOCK, found as Redis does: a stream that is named "block" is no option. */
function findBlockOptions(args: Command['args']): number[] {
  const places: number[] = [];
  for (let at = 0; at < args.length; ) {
    const option = String(args[at]).toUpperCase();
    if (option === 'STREAMS') break;
    if (option === 'BLOCK') places.push(at + 1);
    at += optionLengths.get(option) ?? 1;
  }
  return places;
}

function boundTimeout(arg: string | Buffer, max: number): string | Buffer {
  const text = String(arg);
  if (!/^\d*\.?\d+(e\+?\d+)?$/i.test(text)) return arg;
  const timeout = Number(text);
  return timeout === 0 || timeout > max ? String(max) : arg;
}

function reasonOf({ reason }: AbortSignal): AppError {
  // Where the caller has gone it is for the log: nobody reads the answer.
  return reason instanceof AppError ? reason : badRequest('The request was given up');
}
